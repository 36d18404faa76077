// The values of eight FP8 codes, equal to the tables of specs/codecs/plain.md: a NaN is quiet and keeps its sign.
#ifndef BALE_FP8_VALUES_H
#define BALE_FP8_VALUES_H

#include "lanes.h"

#if defined(__x86_64__)
// Normal numbers by moving their fields, the eight others below and NaN by selection. `subnormal` has the values of codes
// 0 to 7.
AVX2_INLINE __m256 e4m3_values(__m256 subnormal, const uint8_t *bytes) {
  __m256i codes = _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)bytes));
  __m256i magnitude = _mm256_and_si256(codes, _mm256_set1_epi32(0x7f));
  __m256i normal = _mm256_add_epi32(_mm256_slli_epi32(magnitude, 20), _mm256_set1_epi32(120 << 23));
  __m256i small = _mm256_castps_si256(_mm256_permutevar8x32_ps(subnormal, magnitude));
  __m256i value = _mm256_blendv_epi8(normal, small, _mm256_cmpgt_epi32(_mm256_set1_epi32(8), magnitude));
  __m256i nan = _mm256_cmpeq_epi32(magnitude, _mm256_set1_epi32(0x7f));
  value = _mm256_blendv_epi8(value, _mm256_set1_epi32(0x7fc00000), nan);
  __m256i sign = _mm256_slli_epi32(_mm256_srli_epi32(codes, 7), 31);
  return _mm256_castsi256_ps(_mm256_or_si256(value, sign));
}

// A code is the upper byte of an F16.
AVX2_INLINE __m256 e5m2_values(const uint8_t *bytes) {
  __m128i codes = _mm_loadl_epi64((const __m128i *)bytes);
  __m256 value = _mm256_cvtph_ps(_mm_unpacklo_epi8(_mm_setzero_si128(), codes));
  __m256 quiet = _mm256_or_ps(_mm256_and_ps(value, _mm256_set1_ps(-0.0f)), _mm256_castsi256_ps(_mm256_set1_epi32(0x7fc00000)));
  return _mm256_blendv_ps(value, quiet, _mm256_cmp_ps(value, value, _CMP_UNORD_Q));
}
#endif

#endif
