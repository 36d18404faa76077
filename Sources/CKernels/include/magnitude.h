#ifndef BALE_MAGNITUDE_H
#define BALE_MAGNITUDE_H

#include <stddef.h>

// The largest magnitude of `count` values, or infinity or NaN if one is not finite.
float bale_largest_magnitude(const float *values, size_t count);

#endif
