/* The table of options, searching it, and the checks and conversions that its
 * rows describe. */

#include "option_table.h"
#include "error.h"
#include "spelling.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum {
#define TYPE(name, number, sends, receives, draft) TYPE_##name = (number),
#include "type.def"
#undef TYPE
};

#define BIT(type) (UINT32_C(1) << TYPE_##type)
#define ALL UINT32_MAX
#define ANYTIME UINT32_C(0)
#define EARLY SZI_EARLY

static const sz_option options[] = {
#define SOCKET(name, real, ...)                                               \
    {name, real, SZ_SOCKET_OPTION, false, false, __VA_ARGS__},
#define LIVE(name, real, ...)                                                 \
    {name, real, SZ_SOCKET_OPTION, false, true, __VA_ARGS__},
#define SECRET(name, real, ...)                                               \
    {name, real, SZ_SOCKET_OPTION, true, false, __VA_ARGS__},
#define CONTEXT(name, real, ...)                                              \
    {name, real, SZ_CONTEXT_OPTION, false, false, __VA_ARGS__},
#include "option.def"
#undef CONTEXT
#undef SECRET
#undef LIVE
#undef SOCKET
};

enum {
    COUNT = sizeof options / sizeof *options
};

const sz_option *sz_option_at(size_t index)
{
    return index < COUNT ? &options[index] : NULL;
}

size_t sz_option_index(const sz_option *option)
{
    return (size_t)(option - options);
}

const sz_option *sz_option_find(sz_scope scope, const char *name)
{
    for (size_t i = 0; i < COUNT; i++)
        if (options[i].scope == scope && strcmp(options[i].name, name) == 0)
            return &options[i];
    return NULL;
}

const char *sz_option_near(sz_scope scope, const char *name)
{
    const char *best = NULL;
    for (size_t i = 0; i < COUNT; i++)
        if (options[i].scope == scope)
            best = szi_nearest(name, best, options[i].name);
    return best;
}

/* Whether a version ("4.2.3" or "4.2") is newer than the libzmq that runs. */
static bool is_newer(const char *since)
{
    int version[3];
    sz_version(version);
    for (int i = 0; i < 3; i++) {
        char *end;
        long number = strtol(since, &end, 10);
        if (number != version[i])
            return number > version[i];
        since = *end == '.' ? end + 1 : end;
    }
    return false;
}

int szi_option_check(const sz_option *option, sz_scope scope, char access,
                     bool integer)
{
    if (option == NULL || option->scope != scope)
        return SZ_EVALUE;
    if (strchr(option->access, access) == NULL)
        return access == 'w' ? SZ_EREADONLY : SZ_EWRITEONLY;
    if ((option->type <= SZ_FLAGS) != integer)
        return SZ_EVALUE;
    const char *needs = option->needs;
    if (needs[0] != '\0' && strcmp(needs, "draft") != 0 && !sz_has(needs))
        return SZ_EUNSUPPORTED;
    return is_newer(option->since) ? SZ_EOLD : 0;
}

int szi_option_check_integer(const sz_option *option, int64_t value)
{
    return value < option->min || value > option->max ? SZ_ERANGE : 0;
}

/* libzmq's own rule: a name of at most 254 bytes that begins with X-, a colon,
 * and a value. */
static bool is_property(const char *text, size_t size)
{
    const char *colon = memchr(text, ':', size);
    return colon != NULL && colon - text > 2 && colon - text < 255 &&
           colon + 1 < text + size && text[0] == 'X' && text[1] == '-';
}

int szi_option_check_bytes(const sz_option *option, const void *data,
                           size_t size)
{
    if (option->type == SZ_KEY) {
        char text[SZ_KEY_TEXT + 1];
        size_t place;
        int code = sz_key_text(data, size, text, &place);
        sz_wipe(text, sizeof text);
        return code;
    }
    if (size > PTRDIFF_MAX || (int64_t)size < option->min ||
        (int64_t)size > option->max)
        return SZ_ELENGTH;
    if (option->type == SZ_STRING && size > 0 &&
        memchr(data, '\0', size) != NULL)
        return SZ_ENUL;
    if (option->rule == SZI_PROPERTY && !is_property(data, size))
        return SZ_EPROPERTY;
    return 0;
}

int64_t szi_option_inward(const sz_option *option, int64_t value)
{
    if (option->rule == SZI_SCALED)
        return value * option->operand;
    if ((option->rule == SZI_ZERO || option->rule == SZI_AS_ZERO) &&
        value == 0)
        return option->operand;
    return value;
}

int64_t szi_option_outward(const sz_option *option, int64_t value)
{
    if (option->rule == SZI_SCALED)
        return value / option->operand;
    if (option->rule == SZI_ZERO && value == option->operand)
        return 0;
    return value;
}

/* libzmq takes an int for every option except those whose range needs 64
 * bits. */
size_t szi_option_width(const sz_option *option)
{
    return option->max > INT_MAX ? sizeof(int64_t) : sizeof(int);
}

bool szi_option_partial(const sz_option *option)
{
    return option->rule == SZI_PARTIAL || option->type == SZ_STRING ||
           option->type == SZ_KEY;
}
