#if defined(__x86_64__)
#include "ggml_lanes_avx512.h"
#include "ggml_fit.h"

LANES_TARGET int bale_fit_affine_avx512(const float *values, const float *weights, bale_affine_form form, float *scales,
                         float *depths) {
  // Constants make loops that can be unrolled.
  if (form.part == 32) {
    form.part = 32;
    form.by_magnitude = 0;
    return fit_affine(values, weights, form, scales, depths);
  }
  form.part = 16;
  if (form.by_magnitude) {
    form.by_magnitude = 1;
    return fit_affine(values, weights, form, scales, depths);
  }
  form.by_magnitude = 0;
  return fit_affine(values, weights, form, scales, depths);
}

LANES_TARGET void bale_fit_symmetric_avx512(const float *values, const float *weights, float half, float *scales) {
  fit_symmetric(values, weights, half, scales);
}
#endif
