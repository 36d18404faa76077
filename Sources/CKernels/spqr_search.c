// The error of a group under a candidate scale, and least squares: the inner loops of every search of scales. The
// vector and the plain form add in the same order and give the same bits.
#include "spqr.h"

#include <math.h>

#include "lanes.h"

enum { LANES = 8 };

// ---- plain ----

// The nearest code, as a float; of a table its value.
INLINE float nearest(const bale_grid *grid, float value, float inverse, float zero) {
  if (grid->kind == BALE_GRID_TABLE) {
    float position = value * inverse;
    int code = 0;
    for (int i = 0; i < 15; i++) code += position > grid->thresholds[i];
    return grid->table[code];
  }
  float position = rintf(grid->kind == BALE_GRID_BIASED ? (value - zero) * inverse : value * inverse + zero);
  position = position > grid->lowest ? position : grid->lowest;
  return position < grid->highest ? position : grid->highest;
}

INLINE float decoded_of(const bale_grid *grid, float code, float scale, float zero) {
  if (grid->kind == BALE_GRID_AFFINE) return scale * (code - zero);
  return grid->kind == BALE_GRID_BIASED ? code * scale + zero : code * scale;
}

static void plain_error(const bale_grid *grid, const float *values, const float *weights, size_t first, size_t count,
                        float scale, float zero, float *lanes) {
  float inverse = bale_grid_reciprocal(scale);
  for (size_t i = first; i < count; i++) {
    float code = nearest(grid, values[i], inverse, zero);
    float difference = decoded_of(grid, code, scale, zero) - values[i];
    float square = difference * difference;
    lanes[i % LANES] += weights ? square * weights[i] : square;
  }
}

static void plain_moments(const bale_grid *grid, const float *values, const float *weights, size_t first, size_t count,
                          float scale, float zero, float lanes[4][LANES]) {
  float inverse = bale_grid_reciprocal(scale);
  for (size_t i = first; i < count; i++) {
    float code = nearest(grid, values[i], inverse, zero), weight = weights ? weights[i] : 1;
    float distance = code - zero, weighted = weight * distance;
    lanes[0][i % LANES] += weighted * distance;
    lanes[1][i % LANES] += weighted * values[i];
    lanes[2][i % LANES] += weight;
    lanes[3][i % LANES] += weight * (scale * code - values[i]);
  }
}

// ---- AVX2 ----

#if defined(__x86_64__)

// Inlined where the kind of the grid is a constant.
#define SPECIALISED static inline AVX2 __attribute__((always_inline))

SPECIALISED __m256 nearest_8(const bale_grid *grid, enum bale_grid_kind kind, __m256 values, __m256 inverse,
                             __m256 zero) {
  __m256 position;
  if (kind == BALE_GRID_TABLE) {
    position = _mm256_mul_ps(values, inverse);
    __m256i code = _mm256_setzero_si256();
    for (int i = 0; i < 15; i++) {
      __m256 above = _mm256_cmp_ps(position, _mm256_set1_ps(grid->thresholds[i]), _CMP_GT_OQ);
      code = _mm256_sub_epi32(code, _mm256_castps_si256(above));
    }
    __m256 low = _mm256_permutevar8x32_ps(_mm256_loadu_ps(grid->table), code);
    __m256 high = _mm256_permutevar8x32_ps(_mm256_loadu_ps(grid->table + 8), code);
    return _mm256_blendv_ps(low, high, _mm256_castsi256_ps(_mm256_slli_epi32(code, 28)));
  }
  if (kind == BALE_GRID_BIASED) {
    position = _mm256_mul_ps(_mm256_sub_ps(values, zero), inverse);
  } else {
    position = _mm256_add_ps(_mm256_mul_ps(values, inverse), zero);
  }
  position = _mm256_round_ps(position, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  position = _mm256_max_ps(position, _mm256_set1_ps(grid->lowest));
  return _mm256_min_ps(position, _mm256_set1_ps(grid->highest));
}

SPECIALISED __m256 decoded_8(enum bale_grid_kind kind, __m256 code, __m256 scale, __m256 zero) {
  if (kind == BALE_GRID_AFFINE) return _mm256_mul_ps(scale, _mm256_sub_ps(code, zero));
  __m256 product = _mm256_mul_ps(code, scale);
  return kind == BALE_GRID_BIASED ? _mm256_add_ps(product, zero) : product;
}

SPECIALISED __m256 error_lanes(const bale_grid *grid, enum bale_grid_kind kind, const float *values,
                               const float *weights, size_t first, size_t count, float scale, float zero,
                               __m256 sum) {
  __m256 scales = _mm256_set1_ps(scale), zeros = _mm256_set1_ps(zero);
  __m256 inverse = _mm256_set1_ps(bale_grid_reciprocal(scale));
  for (size_t i = first; i < count; i += LANES) {
    __m256 value = _mm256_loadu_ps(values + i);
    __m256 code = nearest_8(grid, kind, value, inverse, zeros);
    __m256 difference = _mm256_sub_ps(decoded_8(kind, code, scales, zeros), value);
    __m256 square = _mm256_mul_ps(difference, difference);
    sum = _mm256_add_ps(sum, weights ? _mm256_mul_ps(square, _mm256_loadu_ps(weights + i)) : square);
  }
  return sum;
}

#define SPECIALISED_WIDE static inline AVX512 __attribute__((always_inline))

SPECIALISED_WIDE __m512 nearest_16(const bale_grid *grid, enum bale_grid_kind kind, __m512 values, __m512 inverse,
                                   __m512 zero) {
  __m512 position;
  if (kind == BALE_GRID_TABLE) {
    position = _mm512_mul_ps(values, inverse);
    __m512i code = _mm512_setzero_si512(), one = _mm512_set1_epi32(1);
    for (int i = 0; i < 15; i++) {
      __mmask16 above = _mm512_cmp_ps_mask(position, _mm512_set1_ps(grid->thresholds[i]), _CMP_GT_OQ);
      code = _mm512_mask_add_epi32(code, above, code, one);
    }
    return _mm512_permutexvar_ps(code, _mm512_loadu_ps(grid->table));
  }
  if (kind == BALE_GRID_BIASED) {
    position = _mm512_mul_ps(_mm512_sub_ps(values, zero), inverse);
  } else {
    position = _mm512_add_ps(_mm512_mul_ps(values, inverse), zero);
  }
  position = _mm512_roundscale_ps(position, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  position = _mm512_max_ps(position, _mm512_set1_ps(grid->lowest));
  return _mm512_min_ps(position, _mm512_set1_ps(grid->highest));
}

// Sixteen values a step, the first eight added before the others: the same sums as eight a step.
SPECIALISED_WIDE __m256 wide_error_lanes(const bale_grid *grid, enum bale_grid_kind kind, const float *values,
                                         const float *weights, size_t count, float scale, float zero, __m256 sum) {
  __m512 scales = _mm512_set1_ps(scale), zeros = _mm512_set1_ps(zero);
  __m512 inverse = _mm512_set1_ps(bale_grid_reciprocal(scale));
  for (size_t i = 0; i < count; i += 2 * LANES) {
    __m512 value = _mm512_loadu_ps(values + i);
    __m512 code = nearest_16(grid, kind, value, inverse, zeros), decoded;
    if (kind == BALE_GRID_AFFINE) {
      decoded = _mm512_mul_ps(scales, _mm512_sub_ps(code, zeros));
    } else {
      decoded = _mm512_mul_ps(code, scales);
      if (kind == BALE_GRID_BIASED) decoded = _mm512_add_ps(decoded, zeros);
    }
    __m512 difference = _mm512_sub_ps(decoded, value), square = _mm512_mul_ps(difference, difference);
    if (weights) square = _mm512_mul_ps(square, _mm512_loadu_ps(weights + i));
    sum = _mm256_add_ps(sum, _mm512_castps512_ps256(square));
    sum = _mm256_add_ps(sum, _mm512_extractf32x8_ps(square, 1));
  }
  return sum;
}

#define ERROR_OF_KIND(KIND)                                                                                         \
  AVX2 static void error_of_##KIND(const bale_grid *grid, const float *values, const float *weights, size_t count,  \
                                   float scale, float zero, float *lanes) {                                        \
    __m256 sum = _mm256_setzero_ps();                                                                               \
    _mm256_storeu_ps(lanes, error_lanes(grid, BALE_GRID_##KIND, values, weights, 0, count, scale, zero, sum));      \
  }                                                                                                                 \
  AVX512 static void wide_error_of_##KIND(const bale_grid *grid, const float *values, const float *weights,         \
                                          size_t count, float scale, float zero, float *lanes) {                    \
    size_t even = count - count % (2 * LANES);                                                                      \
    __m256 sum = _mm256_setzero_ps();                                                                               \
    sum = wide_error_lanes(grid, BALE_GRID_##KIND, values, weights, even, scale, zero, sum);                        \
    sum = error_lanes(grid, BALE_GRID_##KIND, values, weights, even, count, scale, zero, sum);                      \
    _mm256_storeu_ps(lanes, sum);                                                                                   \
  }
ERROR_OF_KIND(AFFINE)
ERROR_OF_KIND(BIASED)
ERROR_OF_KIND(TABLE)

static void vector_error(const bale_grid *grid, const float *values, const float *weights, size_t count, float scale,
                         float zero, float *lanes) {
  int wide = has_avx512();
#define CASE(KIND)                                                                                               \
  case BALE_GRID_##KIND:                                                                                         \
    (wide ? wide_error_of_##KIND : error_of_##KIND)(grid, values, weights, count, scale, zero, lanes);          \
    break;
  switch (grid->kind) {
    CASE(AFFINE)
    CASE(BIASED)
    CASE(TABLE)
  }
#undef CASE
}

AVX2 static void vector_moments(const bale_grid *grid, const float *values, const float *weights, size_t count,
                                float scale, float zero, float lanes[4][LANES]) {
  __m256 sums[4] = {_mm256_setzero_ps(), _mm256_setzero_ps(), _mm256_setzero_ps(), _mm256_setzero_ps()};
  __m256 scales = _mm256_set1_ps(scale), zeros = _mm256_set1_ps(zero), inverse = _mm256_set1_ps(bale_grid_reciprocal(scale));
  for (size_t i = 0; i < count; i += LANES) {
    __m256 value = _mm256_loadu_ps(values + i);
    __m256 weight = weights ? _mm256_loadu_ps(weights + i) : _mm256_set1_ps(1);
    __m256 code = nearest_8(grid, BALE_GRID_AFFINE, value, inverse, zeros);
    __m256 distance = _mm256_sub_ps(code, zeros);
    __m256 weighted = _mm256_mul_ps(weight, distance);
    sums[0] = _mm256_add_ps(sums[0], _mm256_mul_ps(weighted, distance));
    sums[1] = _mm256_add_ps(sums[1], _mm256_mul_ps(weighted, value));
    sums[2] = _mm256_add_ps(sums[2], weight);
    __m256 difference = _mm256_sub_ps(_mm256_mul_ps(scales, code), value);
    sums[3] = _mm256_add_ps(sums[3], _mm256_mul_ps(weight, difference));
  }
  for (int i = 0; i < 4; i++) _mm256_storeu_ps(lanes[i], sums[i]);
}
#endif

// How many of `count` values the vector form takes: the plain one takes the rest.
static size_t vector_part(size_t count) {
#if defined(__x86_64__)
  if (has_avx2()) return count - count % LANES;
#endif
  return 0;
}

float bale_grid_error(const bale_grid *grid, const float *values, const float *weights, size_t count, float scale,
                      float zero) {
  float lanes[LANES] = {0};
  size_t whole = vector_part(count);
#if defined(__x86_64__)
  if (whole) vector_error(grid, values, weights, whole, scale, zero, lanes);
#endif
  plain_error(grid, values, weights, whole, count, scale, zero, lanes);
  return lane_total(lanes);
}

float bale_grid_error_portable(const bale_grid *grid, const float *values, const float *weights, size_t count,
                               float scale, float zero) {
  float lanes[LANES] = {0};
  plain_error(grid, values, weights, 0, count, scale, zero, lanes);
  return lane_total(lanes);
}

void bale_affine_moments(const bale_grid *grid, const float *values, const float *weights, size_t count, float scale,
                         float zero, float moments[4]) {
  float lanes[4][LANES] = {{0}};
  size_t whole = vector_part(count);
#if defined(__x86_64__)
  if (whole) vector_moments(grid, values, weights, whole, scale, zero, lanes);
#endif
  plain_moments(grid, values, weights, whole, count, scale, zero, lanes);
  for (int i = 0; i < 4; i++) moments[i] = lane_total(lanes[i]);
}
