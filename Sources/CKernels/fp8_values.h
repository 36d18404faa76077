// The values of sixteen FP8 codes, equal to the tables of specs/codecs/plain.md: a NaN is quiet, keeps its sign and has
// nothing else in its payload, so that rounding to BF16 needs no exception for it.
#ifndef BALE_FP8_VALUES_H
#define BALE_FP8_VALUES_H

#include "lanes.h"

#if defined(__x86_64__)
typedef struct {
  __m256 first, second;
} floats_16;

// F16 codes times a power of two.
AVX2_INLINE floats_16 values_of_halves(__m256i halves, float unit) {
  const __m256 units = _mm256_set1_ps(unit);
  return (floats_16){_mm256_mul_ps(_mm256_cvtph_ps(_mm256_castsi256_si128(halves)), units),
                     _mm256_mul_ps(_mm256_cvtph_ps(_mm256_extracti128_si256(halves, 1)), units)};
}

AVX2_INLINE __m256i load_codes_16(const uint8_t *bytes) {
  return _mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i *)bytes));
}

// In the fields of an F16 the exponent of E4M3 is 8 too small. The NaN would be a number there.
AVX2_INLINE floats_16 e4m3_values_16(const uint8_t *bytes) {
  const __m256i magnitudes = _mm256_set1_epi16(0x7f);
  __m256i codes = load_codes_16(bytes);
  __m256i magnitude = _mm256_and_si256(codes, magnitudes);
  __m256i halves = _mm256_xor_si256(_mm256_slli_epi16(_mm256_xor_si256(codes, magnitude), 8),
                                    _mm256_slli_epi16(magnitude, 7));
  __m256i nan = _mm256_and_si256(_mm256_cmpeq_epi16(magnitude, magnitudes), _mm256_set1_epi16(0x3f80 ^ 0x7e00));
  return values_of_halves(_mm256_xor_si256(halves, nan), 256);
}

// A code is the upper byte of an F16.
AVX2_INLINE floats_16 e5m2_values_16(const uint8_t *bytes) {
  __m256i halves = _mm256_slli_epi16(load_codes_16(bytes), 8);
  __m256i sign = _mm256_and_si256(halves, _mm256_set1_epi16((short)0x8000));
  __m256i nan = _mm256_cmpgt_epi16(_mm256_xor_si256(halves, sign), _mm256_set1_epi16(0x7c00));
  __m256i quiet = _mm256_or_si256(sign, _mm256_set1_epi16(0x7e00));
  return values_of_halves(_mm256_blendv_epi8(halves, quiet, nan), 1);
}
#endif

#endif
