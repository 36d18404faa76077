// Eight floats at once: what ggml_fit.h is written in.
#include "ggml_avx2.h"

#define LANES 8
#define LANES_NAME(name) name##_avx2
#define LANES_INLINE AVX2_INLINE
#define LANES_TARGET AVX2

typedef __m256 lanes;
typedef __m256 lanes_mask;

LANES_INLINE lanes splat(float value) { return _mm256_set1_ps(value); }
LANES_INLINE lanes add(lanes a, lanes b) { return _mm256_add_ps(a, b); }
LANES_INLINE lanes subtract(lanes a, lanes b) { return _mm256_sub_ps(a, b); }
LANES_INLINE lanes multiply(lanes a, lanes b) { return _mm256_mul_ps(a, b); }
LANES_INLINE lanes divide(lanes a, lanes b) { return _mm256_div_ps(a, b); }
LANES_INLINE lanes root(lanes a) { return _mm256_sqrt_ps(a); }
LANES_INLINE lanes smaller(lanes a, lanes b) { return _mm256_min_ps(a, b); }
LANES_INLINE lanes larger(lanes a, lanes b) { return _mm256_max_ps(a, b); }
LANES_INLINE lanes absolute(lanes a) { return magnitude(a); }
LANES_INLINE lanes_mask is_less(lanes a, lanes b) { return _mm256_cmp_ps(a, b, _CMP_LT_OQ); }
LANES_INLINE lanes_mask is_equal(lanes a, lanes b) { return _mm256_cmp_ps(a, b, _CMP_EQ_OQ); }
LANES_INLINE lanes_mask both(lanes_mask a, lanes_mask b) { return _mm256_and_ps(a, b); }
LANES_INLINE lanes_mask but(lanes_mask a, lanes_mask b) { return _mm256_andnot_ps(b, a); }
LANES_INLINE lanes choose(lanes_mask mask, lanes yes, lanes no) { return _mm256_blendv_ps(no, yes, mask); }
LANES_INLINE int any(lanes_mask mask) { return _mm256_movemask_ps(mask) != 0; }
LANES_INLINE void store(float *values, lanes a) { _mm256_storeu_ps(values, a); }

// Rows of eight values, `stride` apart, become columns.
LANES_INLINE void load_columns(const float *values, size_t stride, lanes *columns) {
  __m256 r[8], t[8];
  for (int row = 0; row < 8; row++) r[row] = _mm256_loadu_ps(values + row * stride);
  for (int pair = 0; pair < 4; pair++) {
    t[2 * pair] = _mm256_unpacklo_ps(r[2 * pair], r[2 * pair + 1]);
    t[2 * pair + 1] = _mm256_unpackhi_ps(r[2 * pair], r[2 * pair + 1]);
  }
  for (int half = 0; half < 2; half++) {
    __m256 *u = t + 4 * half;
    r[4 * half] = _mm256_shuffle_ps(u[0], u[2], 0x44);
    r[4 * half + 1] = _mm256_shuffle_ps(u[0], u[2], 0xee);
    r[4 * half + 2] = _mm256_shuffle_ps(u[1], u[3], 0x44);
    r[4 * half + 3] = _mm256_shuffle_ps(u[1], u[3], 0xee);
  }
  for (int column = 0; column < 4; column++) {
    columns[column] = _mm256_permute2f128_ps(r[column], r[column + 4], 0x20);
    columns[column + 4] = _mm256_permute2f128_ps(r[column], r[column + 4], 0x31);
  }
}
