#include "elements.h"
#include "integer_group.h"

// ---- The error of a candidate ----

INLINE float difference_of(float value, bale_group_terms t) {
  float decoded = (nearest_code(value, t) - t.zero) * t.scale;
  decoded = decoded + t.bias;
  return decoded - value;
}

#if defined(__x86_64__)
AVX2 static inline size_t error_avx2(const float *values, size_t count, bale_group_terms t, float *lanes) {
  __m256 sum = _mm256_setzero_ps();
  size_t i = 0;
  for (; i + 8 <= count; i += 8) {
    __m256 value = _mm256_loadu_ps(values + i);
    __m256 decoded = _mm256_sub_ps(nearest_code_8(value, t), _mm256_set1_ps(t.zero));
    decoded = _mm256_add_ps(_mm256_mul_ps(decoded, _mm256_set1_ps(t.scale)), _mm256_set1_ps(t.bias));
    __m256 difference = _mm256_sub_ps(decoded, value);
    sum = _mm256_add_ps(sum, _mm256_mul_ps(difference, difference));
  }
  _mm256_storeu_ps(lanes, sum);
  return i;
}

// Symmetric codes, without the operations that add or take away 0.
AVX2 static inline size_t symmetric_error_avx2(const float *values, size_t count, bale_group_terms t, float *lanes) {
  const __m256 inverse = _mm256_set1_ps(t.inverse), scale = _mm256_set1_ps(t.scale);
  const __m256 lowest = _mm256_set1_ps(t.lowest), highest = _mm256_set1_ps(t.highest);
  __m256 sum = _mm256_setzero_ps();
  size_t i = 0;
  for (; i + 8 <= count; i += 8) {
    __m256 value = _mm256_loadu_ps(values + i);
    __m256 code = _mm256_round_ps(_mm256_mul_ps(value, inverse), _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    code = _mm256_min_ps(_mm256_max_ps(code, lowest), highest);
    __m256 difference = _mm256_sub_ps(_mm256_mul_ps(code, scale), value);
    sum = _mm256_add_ps(sum, _mm256_mul_ps(difference, difference));
  }
  _mm256_storeu_ps(lanes, sum);
  return i;
}
#endif

INLINE float squared_error(const float *values, size_t count, bale_group_terms terms, int fast) {
  float lanes[8] = {0};
  size_t i = 0;
#if defined(__x86_64__)
  if (fast && terms.lowest < 0) i = symmetric_error_avx2(values, count, terms, lanes);
  if (fast && terms.lowest >= 0) i = error_avx2(values, count, terms, lanes);
#endif
  for (; i < count; i++) {
    float difference = difference_of(values[i], terms);
    lanes[i % 8] += difference * difference;
  }
  return lane_total(lanes);
}

// ---- Candidates ----

#if defined(__x86_64__)
AVX2 static inline float nearest_f16_avx2(float value) { return _cvtsh_ss(_cvtss_sh(value, _MM_FROUND_TO_NEAREST_INT)); }
#endif

INLINE float nearest_f16(float value, int fast) {
#if defined(__x86_64__)
  if (fast) return nearest_f16_avx2(value);
#endif
  uint16_t half;
  bale_f32_to_f16(&value, &half, 1);
  bale_f16_to_f32(&half, &value, 1);
  return value;
}

INLINE float nearest(float value, enum bale_scalar type, int fast) {
  if (type == BALE_F32) return value;
  return type == BALE_F16 ? nearest_f16(value, fast) : float_of((uint32_t)nearest_bf16(value) << 16);
}

// The nearest scale that can be stored, not 0; F32 keeps 16 bits of significand. Infinite if it overflows.
INLINE float storable(float scale, enum bale_scalar type, int fast) {
  if (type == BALE_F16) {
    float rounded = nearest_f16(scale, fast);
    return rounded > 0x1p-24f ? rounded : 0x1p-24f;
  }
  uint32_t bits = bits_of(scale);
  float rounded = type == BALE_BF16 ? nearest(scale, type, fast) : float_of((bits + 0x7f + (bits >> 8 & 1)) & ~0xffu);
  return rounded > 0x1p-126f ? rounded : 0x1p-126f;
}

INLINE float or_zero_below(float value) { return value < 0 ? value : 0; }
INLINE float or_zero_above(float value) { return value > 0 ? value : 0; }

// The terms of a divisor. Returns 0 if they overflow, or if the codes of the extremes are nearer than the smallest
// divisor, from which the scale would not be found again.
INLINE int candidate(float low, float high, float divisor, const bale_group_grid *grid, bale_group_terms *terms,
                     int fast) {
  double width = (double)high - (double)low;
  if (grid->zero == BALE_SYMMETRIC) width = -low > high ? -low : high;
  if (grid->zero == BALE_ZERO_POINT) width = (double)or_zero_above(high) - (double)or_zero_below(low);
  float scale = storable((float)(width / (double)divisor), grid->scale, fast);
  if (!__builtin_isfinite(scale)) return 0;
  *terms = (bale_group_terms){scale, 1 / scale, 0, 0, grid->lowest, grid->highest};
  if (grid->zero == BALE_ZERO_POINT) {
    float bottom = __builtin_rintf(or_zero_below(low) * terms->inverse);
    float top = __builtin_rintf(or_zero_above(high) * terms->inverse);
    terms->zero = -bottom < grid->highest ? -bottom + 0 : grid->highest;
    return top - bottom >= grid->first;
  }
  if (grid->zero == BALE_BIAS) {
    double middle = ((double)low + (double)high) / 2;
    terms->bias = nearest((float)(middle - (double)grid->highest * (double)scale / 2), grid->bias, fast);
  }
  return __builtin_isfinite(terms->bias);
}

typedef struct {
  float error, divisor;
  bale_group_terms terms;
} found;

INLINE void attempt(const float *values, size_t count, float low, float high, float divisor,
                    const bale_group_grid *grid, found *best, int fast) {
  bale_group_terms terms;
  if (divisor < grid->first || !candidate(low, high, divisor, grid, &terms, fast)) return;
  float error = squared_error(values, count, terms, fast);
  if (error < best->error) *best = (found){error, divisor, terms};
}

INLINE found search(const float *values, size_t count, float low, float high, const bale_group_grid *grid, int fast) {
  found best = {__builtin_inff(), 0, {0, 0, 0, 0, 0, 0}};
  for (float divisor = grid->first; divisor <= grid->last; divisor += grid->step) {
    attempt(values, count, low, high, divisor, grid, &best, fast);
  }
  float coarse = best.divisor;
  attempt(values, count, low, high, coarse - grid->step / 2, grid, &best, fast);
  attempt(values, count, low, high, coarse + grid->step / 2, grid, &best, fast);
  return best;
}

#if defined(__x86_64__)
AVX2 static found search_avx2(const float *values, size_t count, float low, float high, const bale_group_grid *grid) {
  return search(values, count, low, high, grid, 1);
}
#endif

int bale_group_search(const float *values, size_t count, float low, float high, bale_group_grid grid,
                      bale_group_terms *terms) {
#if defined(__x86_64__)
  found best =
      has_avx2() ? search_avx2(values, count, low, high, &grid) : search(values, count, low, high, &grid, 0);
#else
  found best = search(values, count, low, high, &grid, 0);
#endif
  *terms = best.terms;
  return best.error < __builtin_inff();
}
