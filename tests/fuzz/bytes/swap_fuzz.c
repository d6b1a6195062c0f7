/* The swap against a list: see swap_model.h. */

#include "bytes.h"

#define MODEL(condition) HOLDS(condition)
#include "swap_model.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    run_model(data, size);
    return 0;
}
