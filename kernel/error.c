/* Error codes, their symbols and their texts, from error.def; and what the
 * libzmq that runs can do. */

#include "error.h"

#include <limits.h>
#include <string.h>

typedef struct {
    int code, number;
    const char *symbol, *text;
} row;

static const row rows[] = {
#define ROW(name, symbol, text) {SZ_##name, name, symbol, text},
    SZ_SYSTEM_ERRORS(ROW)
#undef ROW
#define ROW(name, code, number, symbol, text)                                 \
    {SZ_##name, number, symbol, text},
        SZ_OWN_ERRORS(ROW)
#undef ROW
};

static const row *find(int code)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (rows[i].code == code)
            return &rows[i];
    return NULL;
}

static int negated(int code)
{
    return code < -INT_MAX ? INT_MAX : -code;
}

const char *sz_error_symbol(int code)
{
    const row *found = find(code);
    return found != NULL ? found->symbol : "unknown";
}

const char *sz_error_text(int code)
{
    const row *found = find(code);
    if (found != NULL)
        return found->text;
    /* strerror writes the text of an unknown number to a shared buffer, which
     * must not be returned. */
    const char *text = zmq_strerror(negated(code));
    return strncmp(text, "Unknown", 7) == 0 ? "unknown error" : text;
}

int sz_error_errno(int code)
{
    const row *found = find(code);
    return found != NULL ? found->number : negated(code);
}

int szi_last_error(void)
{
    return -zmq_errno();
}

void sz_version(int version[3])
{
    zmq_version(&version[0], &version[1], &version[2]);
}

bool sz_has(const char *capability)
{
    return zmq_has(capability) != 0;
}
