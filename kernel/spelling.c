/* Suggestions for misspelt names. */

#include "spelling.h"

#include <string.h>

enum {
    LONGEST = 40 /* names that are longer get no suggestion */
};

/* The edit distance of words of at most LONGEST letters.  Two neighbours that
 * changed places count as one mistake. */
static size_t distance(const char *a, const char *b)
{
    size_t rows[3][LONGEST + 1];
    size_t *above = rows[0], *before = rows[1], *row = rows[2];
    size_t n = strlen(b);
    for (size_t j = 0; j <= n; j++)
        row[j] = j;
    for (size_t i = 0; a[i] != '\0'; i++) {
        size_t *unused = above;
        above = before;
        before = row;
        row = unused;
        row[0] = i + 1;
        for (size_t j = 0; j < n; j++) {
            size_t best = before[j] + (a[i] != b[j]);
            if (row[j] + 1 < best)
                best = row[j] + 1;
            if (before[j + 1] + 1 < best)
                best = before[j + 1] + 1;
            bool swapped =
                i > 0 && j > 0 && a[i] == b[j - 1] && a[i - 1] == b[j];
            if (swapped && above[j - 1] + 1 < best)
                best = above[j - 1] + 1;
            row[j + 1] = best;
        }
    }
    return row[n];
}

static size_t common_prefix(const char *a, const char *b)
{
    size_t length = 0;
    while (a[length] != '\0' && a[length] == b[length])
        length++;
    return length;
}

const char *szi_nearest(const char *name, const char *best,
                        const char *candidate)
{
    if (strlen(name) > LONGEST)
        return best;
    size_t near = distance(name, candidate);
    if (near > 1 + strlen(name) / 3)
        return best;
    if (best == NULL || near < distance(name, best))
        return candidate;
    if (near == distance(name, best) &&
        common_prefix(name, candidate) > common_prefix(name, best))
        return candidate;
    return best;
}
