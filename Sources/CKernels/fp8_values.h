// The values of eight FP8 codes, equal to the tables of specs/codecs/plain.md: a NaN is quiet and keeps its sign.
#ifndef BALE_FP8_VALUES_H
#define BALE_FP8_VALUES_H

#include "lanes.h"

#if defined(__x86_64__)
// Of codes that are numbers: normal ones by moving their fields, the eight others below by selection. `subnormal` has the
// values of codes 0 to 7.
AVX2_INLINE __m256 e4m3_numbers(__m256 subnormal, __m128i bytes) {
  __m256i codes = _mm256_cvtepu8_epi32(bytes);
  __m256i magnitude = _mm256_and_si256(codes, _mm256_set1_epi32(0x7f));
  __m256i normal = _mm256_add_epi32(_mm256_slli_epi32(magnitude, 20), _mm256_set1_epi32(120 << 23));
  __m256i small = _mm256_castps_si256(_mm256_permutevar8x32_ps(subnormal, magnitude));
  __m256i value = _mm256_blendv_epi8(normal, small, _mm256_cmpgt_epi32(_mm256_set1_epi32(8), magnitude));
  __m256i sign = _mm256_slli_epi32(_mm256_srli_epi32(codes, 7), 31);
  return _mm256_castsi256_ps(_mm256_or_si256(value, sign));
}

AVX2_INLINE __m256 e4m3_values(__m256 subnormal, const uint8_t *bytes) {
  __m128i codes = _mm_loadl_epi64((const __m128i *)bytes);
  __m256i nan = _mm256_cmpeq_epi32(_mm256_and_si256(_mm256_cvtepu8_epi32(codes), _mm256_set1_epi32(0x7f)),
                                   _mm256_set1_epi32(0x7f));
  __m256 value = e4m3_numbers(subnormal, codes);
  __m256 quiet = _mm256_or_ps(value, _mm256_castsi256_ps(_mm256_set1_epi32(0x7fc00000)));
  quiet = _mm256_and_ps(quiet, _mm256_castsi256_ps(_mm256_set1_epi32((int)0xffc00000)));
  return _mm256_blendv_ps(value, quiet, _mm256_castsi256_ps(nan));
}

// Stores sixteen codes times a finite scale as BF16.
AVX2_INLINE void store_e4m3_bf16_16(uint16_t *output, __m256 subnormal, const uint8_t *bytes, __m256 scale) {
  const __m128i magnitudes = _mm_set1_epi8(0x7f);
  __m128i codes = _mm_loadu_si128((const __m128i *)bytes);
  if (_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_and_si128(codes, magnitudes), magnitudes))) {
    store_eight(output, 0, _mm256_mul_ps(e4m3_values(subnormal, bytes), scale), 1);
    store_eight(output, 8, _mm256_mul_ps(e4m3_values(subnormal, bytes + 8), scale), 1);
  } else {
    __m256 first = _mm256_mul_ps(e4m3_numbers(subnormal, codes), scale);
    store_bf16_16(output, first, _mm256_mul_ps(e4m3_numbers(subnormal, _mm_srli_si128(codes, 8)), scale));
  }
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
