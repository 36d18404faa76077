// What the AVX2 kernels of ggml's blocks share. Products and sums are never fused.
#ifndef BALE_GGML_AVX2_H
#define BALE_GGML_AVX2_H

#include "kernel.h"

// 1.5 * 2^23: adding and subtracting it rounds to the nearest integer, ties to even.
#define ROUNDING 12582912.0f
// Where that stops being exact.
#define ROUNDING_LIMIT 4194303.0f

AVX2_INLINE uint16_t half_of(float value) {
  return (uint16_t)_mm_cvtsi128_si32(_mm_cvtps_ph(_mm_set_ss(value), _MM_FROUND_TO_NEAREST_INT));
}

AVX2_INLINE float float_of_half(uint16_t half) { return _mm_cvtss_f32(_mm_cvtph_ps(_mm_cvtsi32_si128(half))); }

AVX2_INLINE void put_half(uint8_t *at, float value) {
  uint16_t half = half_of(value);
  memcpy(at, &half, 2);
}

AVX2_INLINE float get_half(const uint8_t *at) {
  uint16_t half;
  memcpy(&half, at, 2);
  return float_of_half(half);
}

AVX2_INLINE __m256 magnitude(__m256 value) { return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), value); }

AVX2_INLINE float largest_lane(__m256 value) {
  __m128 four = _mm_max_ps(_mm256_castps256_ps128(value), _mm256_extractf128_ps(value, 1));
  __m128 two = _mm_max_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_max_ss(two, _mm_movehdup_ps(two)));
}

// 32 integers as bytes in order, with signed saturation.
AVX2_INLINE __m256i bytes_of(__m256i a, __m256i b, __m256i c, __m256i d) {
  __m256i mixed = _mm256_packs_epi16(_mm256_packs_epi32(a, b), _mm256_packs_epi32(c, d));
  return _mm256_permutevar8x32_epi32(mixed, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
}

// 32 codes below 16 as 16 bytes: code j low, code j + 16 high.
AVX2_INLINE __m128i nibbles_of(__m256i codes) {
  return _mm_or_si128(_mm256_castsi256_si128(codes), _mm_slli_epi16(_mm256_extracti128_si256(codes, 1), 4));
}

#endif
