// Rounding a column of weights, one a row, each row with its own scale and zero: the inner loop of GPTQ.
#include "spqr.h"

#include <math.h>

#include "elements.h"
#include "lanes.h"

static float half_rounded(float value) {
  uint16_t bits;
  bale_f32_to_f16(&value, &bits, 1);
  bale_f16_to_f32(&bits, &value, 1);
  return value;
}

static void round_one(const bale_grid *grid, float value, float scale, float zero, uint8_t *code, float *decoded) {
  float divisor = fabsf(scale) < BALE_SMALLEST_SCALE ? BALE_SMALLEST_SCALE : scale;
  if (grid->kind == BALE_GRID_TABLE) {
    float position = value / divisor;
    int index = 0;
    for (int i = 0; i < 15; i++) index += position > grid->thresholds[i];
    *code = (uint8_t)index;
    *decoded = grid->table[index] * scale;
    return;
  }
  float position = rintf(grid->kind == BALE_GRID_BIASED ? (value - zero) / divisor : value / divisor + zero);
  position = position == position ? position + 0.0f : 0;
  position = position > grid->lowest ? position : grid->lowest;
  position = position < grid->highest ? position : grid->highest;
  *code = (uint8_t)(int)position;
  if (grid->kind == BALE_GRID_BIASED) {
    *decoded = position * scale + zero;
  } else {
    float distance = position - zero;
    *decoded = grid->half ? half_rounded(scale * half_rounded(distance)) : scale * distance;
  }
}

static void plain_round(const bale_grid *grid, const float *values, const float *scales, const float *zeros,
                        size_t first, size_t count, uint8_t *codes, float *decoded) {
  for (size_t i = first; i < count; i++) round_one(grid, values[i], scales[i], zeros[i], codes + i, decoded + i);
}

#if defined(__x86_64__)

AVX2_INLINE __m256 half_rounded_8(__m256 values) {
  return _mm256_cvtph_ps(_mm256_cvtps_ph(values, _MM_FROUND_TO_NEAREST_INT));
}

// The low bytes of eight codes.
AVX2_INLINE void store_codes_8(uint8_t *output, __m256i codes) {
  codes = _mm256_and_si256(codes, _mm256_set1_epi32(255));
  codes = _mm256_permute4x64_epi64(_mm256_packus_epi32(codes, codes), 0x08);
  __m128i bytes = _mm_packus_epi16(_mm256_castsi256_si128(codes), _mm256_castsi256_si128(codes));
  _mm_storel_epi64((__m128i *)output, bytes);
}

AVX2_INLINE __m256 divisor_8(__m256 scale) {
  __m256 magnitude = _mm256_andnot_ps(_mm256_set1_ps(-0.0f), scale), smallest = _mm256_set1_ps(BALE_SMALLEST_SCALE);
  return _mm256_blendv_ps(scale, smallest, _mm256_cmp_ps(magnitude, smallest, _CMP_LT_OQ));
}

AVX2_INLINE __m256 table_round_8(const bale_grid *grid, __m256 value, __m256 scale, uint8_t *codes) {
  __m256 position = _mm256_div_ps(value, divisor_8(scale));
  __m256i code = _mm256_setzero_si256();
  for (int i = 0; i < 15; i++) {
    __m256 above = _mm256_cmp_ps(position, _mm256_set1_ps(grid->thresholds[i]), _CMP_GT_OQ);
    code = _mm256_sub_epi32(code, _mm256_castps_si256(above));
  }
  __m256 low = _mm256_permutevar8x32_ps(_mm256_loadu_ps(grid->table), code);
  __m256 high = _mm256_permutevar8x32_ps(_mm256_loadu_ps(grid->table + 8), code);
  store_codes_8(codes, code);
  return _mm256_mul_ps(_mm256_blendv_ps(low, high, _mm256_castsi256_ps(_mm256_slli_epi32(code, 28))), scale);
}

AVX2_INLINE __m256 uniform_round_8(const bale_grid *grid, __m256 value, __m256 scale, __m256 zero, uint8_t *codes) {
  __m256 position, divisor = divisor_8(scale);
  if (grid->kind == BALE_GRID_BIASED) {
    position = _mm256_div_ps(_mm256_sub_ps(value, zero), divisor);
  } else {
    position = _mm256_add_ps(_mm256_div_ps(value, divisor), zero);
  }
  position = _mm256_round_ps(position, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  position = _mm256_and_ps(position, _mm256_cmp_ps(position, position, _CMP_ORD_Q));
  position = _mm256_add_ps(position, _mm256_setzero_ps());
  position = _mm256_max_ps(position, _mm256_set1_ps(grid->lowest));
  position = _mm256_min_ps(position, _mm256_set1_ps(grid->highest));
  store_codes_8(codes, _mm256_cvtps_epi32(position));
  if (grid->kind == BALE_GRID_BIASED) return _mm256_add_ps(_mm256_mul_ps(position, scale), zero);
  __m256 distance = _mm256_sub_ps(position, zero);
  if (grid->half) return half_rounded_8(_mm256_mul_ps(scale, half_rounded_8(distance)));
  return _mm256_mul_ps(scale, distance);
}

AVX2 static void vector_round(const bale_grid *grid, const float *values, const float *scales, const float *zeros,
                              size_t count, uint8_t *codes, float *decoded) {
  for (size_t i = 0; i < count; i += 8) {
    __m256 value = _mm256_loadu_ps(values + i), scale = _mm256_loadu_ps(scales + i);
    __m256 found = grid->kind == BALE_GRID_TABLE
                       ? table_round_8(grid, value, scale, codes + i)
                       : uniform_round_8(grid, value, scale, _mm256_loadu_ps(zeros + i), codes + i);
    _mm256_storeu_ps(decoded + i, found);
  }
}
#endif

void bale_grid_round(const bale_grid *grid, const float *values, const float *scales, const float *zeros, size_t count,
                     uint8_t *codes, float *decoded) {
  size_t whole = 0;
#if defined(__x86_64__)
  if (has_avx2()) {
    whole = count - count % 8;
    vector_round(grid, values, scales, zeros, whole, codes, decoded);
  }
#endif
  plain_round(grid, values, scales, zeros, whole, count, codes, decoded);
}
