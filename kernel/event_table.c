/* The events that monitors report, and what their values mean, from
 * event.def. */

#include "event_table.h"
#include "spelling.h"

#include <string.h>

static const sz_event_type types[] = {
#define ROW(name, bit, symbol, value, text) {symbol, bit, value, text},
    SZ_EVENTS(ROW)
#undef ROW
};

typedef struct {
    uint32_t number;
    const char *symbol, *text;
} row;

static const row protocol_errors[] = {
#define ROW(name, number, symbol, text) {number, symbol, text},
    SZ_PROTOCOL_ERRORS(ROW)
#undef ROW
        {0, NULL, NULL},
};

static const row zap_statuses[] = {
#define ROW(name, status, symbol, text) {status, symbol, text},
    SZ_ZAP_STATUSES(ROW)
#undef ROW
        {0, NULL, NULL},
};

const sz_event_type *sz_event_at(size_t index)
{
    return index < sizeof types / sizeof *types ? &types[index] : NULL;
}

const sz_event_type *sz_event_find(const char *name)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (strcmp(name, types[i].name) == 0)
            return &types[i];
    return NULL;
}

const char *sz_event_near(const char *name)
{
    const char *best = NULL;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        best = szi_nearest(name, best, types[i].name);
    return best;
}

const sz_event_type *szi_event_of(int bit)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (types[i].bit == bit)
            return &types[i];
    return NULL;
}

static row find(const row *rows, uint32_t number)
{
    while (rows->symbol != NULL && rows->number != number)
        rows++;
    if (rows->symbol != NULL)
        return *rows;
    return (row){number, "unknown", "unknown"};
}

static row describe(const sz_event_type *type, uint32_t value)
{
    switch (type->value) {
    case SZ_ERRNO: {
        int code = value <= INT32_MAX ? -(int)value : 0;
        return (row){value, sz_error_symbol(code), sz_error_text(code)};
    }
    case SZ_PROTOCOL_ERROR:
        return find(protocol_errors, value);
    case SZ_ZAP_STATUS:
        return find(zap_statuses, value);
    default:
        return (row){value, NULL, NULL};
    }
}

const char *sz_event_symbol(const sz_event_type *type, uint32_t value)
{
    return describe(type, value).symbol;
}

const char *sz_event_text(const sz_event_type *type, uint32_t value)
{
    return describe(type, value).text;
}
