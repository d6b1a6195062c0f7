/* libFuzzer's way into the swap: see swap_model.h. */

#include <stdlib.h>

#define MODEL(condition) ((condition) ? (void)0 : abort())
#include "swap_model.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    run_model(data, size);
    return 0;
}
