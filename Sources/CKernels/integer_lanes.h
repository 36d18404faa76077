// Groups of integer codes, many elements at a time. A group starts on a byte; each kernel of groups returns how many of
// its elements it did, from the first on. `bits` and `kind` are constants.
#ifndef BALE_INTEGER_LANES_H
#define BALE_INTEGER_LANES_H

#include "codes16.h"
#include "integer.h"

// Elements of a group for which a table of sixteen values is worth its making.
enum { TABLE_PAYS = 64 };

#if defined(__x86_64__)
// The values of all sixteen codes, as bytes of BF16.
AVX2_INLINE bf16_table sixteen_values(enum bale_zero kind, float scale, float zero) {
  __m256 low = _mm256_setr_ps(0, 1, 2, 3, 4, 5, 6, 7);
  __m256 high = _mm256_add_ps(low, _mm256_set1_ps(kind == BALE_SYMMETRIC ? -8 : 8));
  __m256 zeros = _mm256_set1_ps(zero), scales = _mm256_set1_ps(scale);
  if (kind == BALE_ZERO_POINT) low = _mm256_sub_ps(low, zeros), high = _mm256_sub_ps(high, zeros);
  low = _mm256_mul_ps(low, scales), high = _mm256_mul_ps(high, scales);
  if (kind == BALE_BIAS) low = _mm256_add_ps(low, zeros), high = _mm256_add_ps(high, zeros);
  return bf16_table_of(low, high);
}

AVX2_INLINE __m256 values_of_8(__m256i codes, enum bale_zero kind, __m256 scales, __m256 zeros) {
  __m256 values = _mm256_cvtepi32_ps(codes);
  if (kind == BALE_ZERO_POINT) values = _mm256_sub_ps(values, zeros);
  values = _mm256_mul_ps(values, scales);
  return kind == BALE_BIAS ? _mm256_add_ps(values, zeros) : values;
}

// Codes in the upper bits of lanes of 32 bits, as integers.
AVX2_INLINE __m256i lowered(__m256i codes, unsigned bits, enum bale_zero kind) {
  const int spare = 32 - (int)bits;
  return kind == BALE_SYMMETRIC ? _mm256_srai_epi32(codes, spare) : _mm256_srli_epi32(codes, spare);
}

AVX2_INLINE void decode_bf16_16(const uint8_t *bytes, unsigned bits, enum bale_zero kind, __m256 scales, __m256 zeros,
                                uint16_t *output) {
  __m256i codes = top_codes_16(bytes, bits);
  split_16 values;
  values.even = values_of_8(lowered(_mm256_slli_epi32(codes, 16), bits, kind), kind, scales, zeros);
  values.odd = values_of_8(lowered(codes, bits, kind), kind, scales, zeros);
  // Terms are finite and codes are integers: no value is a NaN.
  store_split_bf16(output, values);
}

AVX2_INLINE void decode_f32_16(const uint8_t *bytes, unsigned bits, enum bale_zero kind, __m256 scales, __m256 zeros,
                               float *output) {
  const int spare = 16 - (int)bits;
  __m256i top = top_codes_16(bytes, bits);
  __m256i codes = kind == BALE_SYMMETRIC ? _mm256_srai_epi16(top, spare) : _mm256_srli_epi16(top, spare);
  __m256i first = _mm256_cvtepi16_epi32(_mm256_castsi256_si128(codes));
  __m256i second = _mm256_cvtepi16_epi32(_mm256_extracti128_si256(codes, 1));
  store_eight(output, 0, values_of_8(first, kind, scales, zeros), 0);
  store_eight(output, 8, values_of_8(second, kind, scales, zeros), 0);
}

AVX2_INLINE size_t group_f32_avx2(const uint8_t *bytes, unsigned bits, enum bale_zero kind, size_t count, float scale,
                                  float zero, float *output) {
  const __m256 scales = _mm256_set1_ps(scale), zeros = _mm256_set1_ps(zero);
  size_t i = 0;
  for (; i + 16 <= count; i += 16, bytes += 2 * bits) decode_f32_16(bytes, bits, kind, scales, zeros, output + i);
  return i;
}

AVX2_INLINE size_t group_bf16_avx2(const uint8_t *bytes, unsigned bits, enum bale_zero kind, size_t count, float scale,
                                   float zero, uint16_t *output) {
  const __m256 scales = _mm256_set1_ps(scale), zeros = _mm256_set1_ps(zero);
  size_t i = 0;
  if (bits == 4 && count >= TABLE_PAYS) {
    bf16_table table = sixteen_values(kind, scale, zero);
    for (; i + 32 <= count; i += 32, bytes += 16) store_bf16_32(output + i, bytes, table, 0);
  }
  for (; i + 16 <= count; i += 16, bytes += 2 * bits) decode_bf16_16(bytes, bits, kind, scales, zeros, output + i);
  return i;
}

AVX512_INLINE __m512 values_of_16(__m512i top, unsigned bits, enum bale_zero kind, __m512 scales, __m512 zeros) {
  const unsigned spare = 32 - bits;
  __m512i codes = kind == BALE_SYMMETRIC ? _mm512_srai_epi32(top, spare) : _mm512_srli_epi32(top, spare);
  __m512 values = _mm512_cvtepi32_ps(codes);
  if (kind == BALE_ZERO_POINT) values = _mm512_sub_ps(values, zeros);
  values = _mm512_mul_ps(values, scales);
  return kind == BALE_BIAS ? _mm512_add_ps(values, zeros) : values;
}

AVX512_INLINE size_t group_bf16_avx512(const uint8_t *bytes, unsigned bits, enum bale_zero kind, size_t count,
                                       float scale, float zero, uint16_t *output) {
  if (bits == 4 && count >= TABLE_PAYS) return group_bf16_avx2(bytes, bits, kind, count, scale, zero, output);
  const __m512 scales = _mm512_set1_ps(scale), zeros = _mm512_set1_ps(zero);
  size_t i = 0;
  for (; i + 32 <= count; i += 32, bytes += 4 * bits) {
    __m512i codes = top_codes_32(bytes, bits);
    split_32 values;
    values.even = values_of_16(_mm512_slli_epi32(codes, 16), bits, kind, scales, zeros);
    values.odd = values_of_16(codes, bits, kind, scales, zeros);
    store_split_bf16_32(output + i, values);
  }
  return i + group_bf16_avx2(bytes, bits, kind, count - i, scale, zero, output + i);
}
#endif

#endif
