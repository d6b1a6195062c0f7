/* Flonums as decimal text that reads back as the same number, whatever the
 * program's locale is.  CHICKEN's own conversions lose the last bit. */

#ifndef GLUE_FLONUM_H
#define GLUE_FLONUM_H

#include <chicken.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#ifdef __APPLE__
#include <xlocale.h>
#endif

enum {
    SZG_FLONUM_ROOM = 32
};

/* Sets the locale of this thread for numbers, and returns that before. */
static locale_t szg_plain_numbers(void)
{
    static locale_t plain;
    if (plain == (locale_t)0)
        plain = newlocale(LC_NUMERIC_MASK, "C", (locale_t)0);
    return plain == (locale_t)0 ? plain : uselocale(plain);
}

static void szg_restore_numbers(locale_t before)
{
    if (before != (locale_t)0)
        uselocale(before);
}

/* Writes the shortest text into a string of SZG_FLONUM_ROOM bytes and returns
 * its length. */
static int szg_flonum_text(double x, C_word to)
{
    char *text = C_c_string(to);
    int length = 0;
    locale_t before = szg_plain_numbers();
    for (int digits = 15; digits <= 17; digits++) {
        length = snprintf(text, SZG_FLONUM_ROOM, "%.*g", digits, x);
        if (strtod(text, NULL) == x)
            break;
    }
    szg_restore_numbers(before);
    return length;
}

/* The number that a text of digits, a point and an exponent stands for. */
static double szg_flonum_value(const char *text)
{
    locale_t before = szg_plain_numbers();
    double x = strtod(text, NULL);
    szg_restore_numbers(before);
    return x;
}

#endif
