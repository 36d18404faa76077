// Sixteen floats at once: what ggml_fit.h is written in.
#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>

#pragma STDC FP_CONTRACT OFF

#define LANES 16
#define LANES_NAME(name) name##_avx512
#define LANES_TARGET __attribute__((target("avx512f,avx512dq")))
#define LANES_INLINE static inline __attribute__((always_inline, target("avx512f,avx512dq")))

#define ROUNDING 12582912.0f
#define ROUNDING_LIMIT 4194303.0f

typedef __m512 lanes;
typedef __mmask16 lanes_mask;

LANES_INLINE lanes splat(float value) { return _mm512_set1_ps(value); }
LANES_INLINE lanes add(lanes a, lanes b) { return _mm512_add_ps(a, b); }
LANES_INLINE lanes subtract(lanes a, lanes b) { return _mm512_sub_ps(a, b); }
LANES_INLINE lanes multiply(lanes a, lanes b) { return _mm512_mul_ps(a, b); }
LANES_INLINE lanes divide(lanes a, lanes b) { return _mm512_div_ps(a, b); }
LANES_INLINE lanes root(lanes a) { return _mm512_sqrt_ps(a); }
LANES_INLINE lanes smaller(lanes a, lanes b) { return _mm512_min_ps(a, b); }
LANES_INLINE lanes larger(lanes a, lanes b) { return _mm512_max_ps(a, b); }
LANES_INLINE lanes absolute(lanes a) { return _mm512_abs_ps(a); }
LANES_INLINE lanes_mask is_less(lanes a, lanes b) { return _mm512_cmp_ps_mask(a, b, _CMP_LT_OQ); }
LANES_INLINE lanes_mask is_equal(lanes a, lanes b) { return _mm512_cmp_ps_mask(a, b, _CMP_EQ_OQ); }
LANES_INLINE lanes_mask both(lanes_mask a, lanes_mask b) { return a & b; }
LANES_INLINE lanes_mask but(lanes_mask a, lanes_mask b) { return (lanes_mask)(a & ~b); }
LANES_INLINE lanes choose(lanes_mask mask, lanes yes, lanes no) { return _mm512_mask_blend_ps(mask, no, yes); }
LANES_INLINE int any(lanes_mask mask) { return mask != 0; }
LANES_INLINE void store(float *values, lanes a) { _mm512_storeu_ps(values, a); }

// Eight values of each of sixteen rows, `stride` apart, become columns.
LANES_INLINE void load_columns(const float *values, size_t stride, lanes *columns) {
  const __m512i rows = _mm512_mullo_epi32(_mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15),
                                          _mm512_set1_epi32((int)stride));
  for (int column = 0; column < 8; column++) columns[column] = _mm512_i32gather_ps(rows, values + column, 4);
}
