// SpQR's dense tiles: decoding, and the error of a group under a candidate scale. See specs/codecs/spqr.md.
#ifndef BALE_SPQR_H
#define BALE_SPQR_H

#include <stddef.h>
#include <stdint.h>

// Decodes one row of 16 x 16 tiles with 3-bit statistics: `height` rows (1 to 16) of `columns` values, row-major.
// `bits` is 2, 3 or 4. With `half`, every operation rounds to IEEE half precision.
void bale_bilevel_decode(const void *codes, const void *statistics, const void *second_level, int bits, int half,
                         size_t height, size_t columns, float *output);

// The same without vector instructions, whatever the machine: for tests.
void bale_bilevel_decode_portable(const void *codes, const void *statistics, const void *second_level, int bits,
                                  int half, size_t height, size_t columns, float *output);

// The squared error of `count` values under the quantizer scale * (code - zero), code = round(value / scale + zero)
// clamped to 0...levels. `weights` (one a value) may be null. `scale` is not negative. The sum has a fixed order:
// eight lanes, then pairwise, the same on every machine.
float bale_affine_error(const float *values, const float *weights, size_t count, float scale, float zero,
                        float levels);

#endif
