// The searches of ggml_fit.h, for the widest lanes that the processor has.
#ifndef BALE_GGML_SEARCHES_H
#define BALE_GGML_SEARCHES_H

#include "ggml.h"

// Each handles `LANES` sub-blocks that follow one another. `weights` are one a value, or NULL for those that the K types have without importance.
// Zero if a sub-block has left the range in which rounding is exact.
int bale_fit_affine_avx2(const float *values, const float *weights, bale_affine_form form, float *scales, float *depths);
int bale_fit_affine_avx512(const float *values, const float *weights, bale_affine_form form, float *scales,
                           float *depths);

// Sub-blocks of 16 with codes from -half to half - 1.
void bale_fit_symmetric_avx2(const float *values, const float *weights, float half, float *scales);
void bale_fit_symmetric_avx512(const float *values, const float *weights, float half, float *scales);

#endif
