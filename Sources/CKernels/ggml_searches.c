// Chooses among the searches of ggml_fit.h.
#include "ggml_searches.h"

#include "kernel.h"

#if defined(__x86_64__)
static int has_avx512(void) { return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq"); }

int bale_ggml_fit_affine(const float *values, const float *weights, size_t parts, bale_affine_form form, float *scales,
                         float *depths) {
  if (!has_avx2()) return 0;
  const size_t size = (size_t)form.part;
  for (size_t part = 0; part < parts;) {
    const float *x = values + part * size, *w = weights ? weights + part * size : NULL;
    const int wide = parts - part >= 16 && has_avx512();
    const int done = wide ? bale_fit_affine_avx512(x, w, form, scales + part, depths + part)
                          : bale_fit_affine_avx2(x, w, form, scales + part, depths + part);
    if (!done) return 0;
    part += wide ? 16 : 8;
  }
  return 1;
}

int bale_ggml_fit_symmetric(const float *values, const float *weights, float half, float *scales) {
  if (!has_avx2()) return 0;
  if (has_avx512()) {
    bale_fit_symmetric_avx512(values, weights, half, scales);
    return 1;
  }
  for (int part = 0; part < 16; part += 8) {
    bale_fit_symmetric_avx2(values + 16 * part, weights ? weights + 16 * part : NULL, half, scales + part);
  }
  return 1;
}
#else
int bale_ggml_fit_affine(const float *values, const float *weights, size_t parts, bale_affine_form form, float *scales,
                         float *depths) {
  return 0;
}

int bale_ggml_fit_symmetric(const float *values, const float *weights, float half, float *scales) { return 0; }
#endif
