#include "calls.h"

#include <string.h>

static int tables(world *w)
{
    const char *names[] = {"", "pub", "linger", "xpub-nodrp",
                           "zzzzzzzzzzzzzz"};
    const char *name = names[pick(w, 5)];
    int version[3];
    sz_version(version);
    sz_has(name);
    sz_type_find(name);
    sz_type_near(name);
    sz_option_find(SZ_SOCKET_OPTION, name);
    sz_option_near(SZ_CONTEXT_OPTION, name);
    sz_event_find(name);
    sz_event_near(name);
    sz_event_at(pick(w, 20));
    sz_swap_directory();
    int code = -(int)pick(w, 200);
    sz_error_text(code);
    sz_error_errno(code);
    return 0;
}

static int texts(world *w)
{
    char data[64], text[128], public_key[SZ_KEY_TEXT + 1];
    size_t place = 0, size = pick_bytes(w, NULL, data, sizeof data);
    int code = sz_z85_encode(data, size, text);
    if (code == 0)
        code = sz_z85_decode(text, size / 4 * 5, data, &place);
    sz_z85_decode(data, size, text, &place);
    sz_curve_public(data, size, public_key, &place);
    sz_key_text(data, size, public_key, &place);
    sz_wipe(text, sizeof text);
    sz_equal(data, text, size);
    sz_network network;
    if (sz_network_parse(data, size, &network) == 0)
        sz_network_holds(&network, data, size);
    return code;
}

static int key_files(world *w)
{
    static char data[SZ_KEYFILE_ROOM];
    char path[128];
    sz_stamp stamp;
    if (w->parent != NULL)
        return 0;
    snprintf(path, sizeof path, "%s/%s", w->directory,
             once_in(w, 3) ? "nowhere/key" : "key");
    switch (pick(w, 3)) {
    case 0:
        return sz_keyfile_read(path, data);
    case 1:
        return sz_keyfile_stamp(path, &stamp);
    default:
        return sz_keyfile_save(path, "key", 3, once_in(w, 2));
    }
}

const call table_calls[] = {
    CALL(tables, 1), CALL(texts, 2), CALL(key_files, 1), {0}};
