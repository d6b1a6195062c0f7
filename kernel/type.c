/* The socket types of type.def, and libzmq's old names of two of them. */

#include "spelling.h"

#include <string.h>

static const sz_type types[] = {
#define TYPE(name, number, sends, receives, draft)                            \
    {#name, number, sends, receives, draft},
#include "type.def"
#undef TYPE
};

static const struct {
    const char *old, *name;
} aliases[] = {{"xreq", "dealer"}, {"xrep", "router"}};

const sz_type *sz_type_at(size_t index)
{
    return index < sizeof types / sizeof *types ? &types[index] : NULL;
}

const sz_type *sz_type_find(const char *name)
{
    for (size_t i = 0; i < sizeof aliases / sizeof *aliases; i++)
        if (strcmp(name, aliases[i].old) == 0)
            name = aliases[i].name;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (strcmp(name, types[i].name) == 0)
            return &types[i];
    return NULL;
}

const char *sz_type_near(const char *name)
{
    const char *best = NULL;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (!types[i].draft)
            best = szi_nearest(name, best, types[i].name);
    return best;
}
