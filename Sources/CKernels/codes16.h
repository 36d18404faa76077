// Sixteen codes of a few bits at a time, in lanes of 16 bits.
#ifndef BALE_CODES16_H
#define BALE_CODES16_H

#include "lanes.h"

#if defined(__x86_64__)
AVX2_INLINE __m128i load_four_or_eight(const uint8_t *bytes, unsigned count) {
  uint64_t word = 0;
  memcpy(&word, bytes, count);
  return _mm_cvtsi64_si128((long long)word);
}

// The two bytes that hold code `CODE` of a stream from byte `FROM` of a register on, and what lifts it to the top.
#define BYTES_OF(CODE, FROM)                                                        \
  (char)((FROM) + (CODE) * (int)bits / 8),                                          \
      (char)((CODE) * (int)bits % 8 + (int)bits > 8 ? (FROM) + (CODE) * (int)bits / 8 + 1 : -1)
#define LIFT_OF(CODE) (short)(1 << (16 - (int)bits - (CODE) * (int)bits % 8))
#define EIGHT_BYTES_OF(FROM)                                                                           \
  BYTES_OF(0, FROM), BYTES_OF(1, FROM), BYTES_OF(2, FROM), BYTES_OF(3, FROM), BYTES_OF(4, FROM),       \
      BYTES_OF(5, FROM), BYTES_OF(6, FROM), BYTES_OF(7, FROM)

// Sixteen codes of `bits` (2 to 6, or 8) bits, a constant, from 2 * bits bytes of a little-endian stream: each in the
// upper bits of its lane, anything below.
AVX2_INLINE __m256i top_codes_16(const uint8_t *bytes, unsigned bits) {
  if (bits == 8) {
    return _mm256_slli_epi16(_mm256_cvtepu8_epi16(_mm_loadu_si128((const __m128i *)bytes)), 8);
  }
  // No byte behind the codes is read: the second half ends with them.
  const unsigned loaded = bits < 4 ? 4 : 8, last = 2 * bits - loaded;
  __m256i halves = _mm256_set_m128i(load_four_or_eight(bytes + last, loaded), load_four_or_eight(bytes, loaded));
  const int from = (int)(bits - last);
  const __m256i places = _mm256_setr_epi8(EIGHT_BYTES_OF(0), EIGHT_BYTES_OF(from));
  const __m128i lifts = _mm_setr_epi16(LIFT_OF(0), LIFT_OF(1), LIFT_OF(2), LIFT_OF(3), LIFT_OF(4), LIFT_OF(5), LIFT_OF(6),
                                       LIFT_OF(7));
  return _mm256_mullo_epi16(_mm256_shuffle_epi8(halves, places), _mm256_broadcastsi128_si256(lifts));
}

// Sixteen values of F32, those of even and of odd index apart.
typedef struct {
  __m256 even, odd;
} split_16;

// To nearest, ties to even, in the upper half of each lane.
AVX2_INLINE __m256i rounded_to_upper_half(__m256 values) {
  __m256i bits = _mm256_castps_si256(values);
  __m256i odd = _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(1));
  return _mm256_add_epi32(_mm256_add_epi32(bits, _mm256_set1_epi32(0x7fff)), odd);
}

// Stores sixteen elements of BF16; none is a NaN.
AVX2_INLINE void store_split_bf16(uint16_t *output, split_16 values) {
  __m256i even = rounded_to_upper_half(values.even), odd = rounded_to_upper_half(values.odd);
  prepare(output);
  _mm256_storeu_si256((__m256i *)output, _mm256_blend_epi16(_mm256_srli_epi32(even, 16), odd, 0xaa));
}

// The same of 32, where rounding is what takes the time.
AVX512_INLINE __m512i top_codes_32(const uint8_t *bytes, unsigned bits) {
  if (bits == 8) return _mm512_slli_epi16(_mm512_cvtepu8_epi16(_mm256_loadu_si256((const __m256i *)bytes)), 8);
  return _mm512_inserti64x4(_mm512_castsi256_si512(top_codes_16(bytes, bits)), top_codes_16(bytes + 2 * bits, bits), 1);
}

typedef struct {
  __m512 even, odd;
} split_32;

AVX512_INLINE __m512i rounded_to_upper_half_16(__m512 values) {
  __m512i bits = _mm512_castps_si512(values), rounded = _mm512_add_epi32(bits, _mm512_set1_epi32(0x7fff));
  __mmask16 odd = _mm512_test_epi32_mask(bits, _mm512_set1_epi32(0x10000));
  return _mm512_mask_add_epi32(rounded, odd, rounded, _mm512_set1_epi32(1));
}

AVX512_INLINE void store_split_bf16_32(uint16_t *output, split_32 values) {
  __m512i even = rounded_to_upper_half_16(values.even), odd = rounded_to_upper_half_16(values.odd);
  prepare(output);
  _mm512_storeu_si512(output, _mm512_mask_mov_epi16(_mm512_srli_epi32(even, 16), 0xaaaaaaaa, odd));
}
#endif

#endif
