/* Suggests a name for one that is not in a table.  Pure functions. */
#ifndef SZI_SPELLING_H
#define SZI_SPELLING_H

#include "szmq.h"

#pragma GCC visibility push(hidden)

/* `candidate` if `name` is nearer to it than to `best`, else `best`, which may
 * be NULL.  Near means that at most about a third of the letters differ. */
const char *szi_nearest(const char *name, const char *best,
                        const char *candidate);

#pragma GCC visibility pop

#endif
