#include "integer_group.h"

#if defined(__x86_64__)
// Steps of eight, or of 32; each returns how many elements it did.

AVX2 static size_t codes_avx2(const float *values, size_t count, bale_group_terms t, uint8_t *codes) {
  const __m256i low_bytes = _mm256_set1_epi32(0xff);
  size_t i = 0;
  for (; i + 8 <= count; i += 8) {
    __m256i code = _mm256_cvtps_epi32(nearest_code_8(_mm256_loadu_ps(values + i), t));
    code = _mm256_and_si256(code, low_bytes);
    __m256i words = _mm256_permute4x64_epi64(_mm256_packus_epi32(code, code), 0x08);
    __m128i bytes = _mm_packus_epi16(_mm256_castsi256_si128(words), _mm_setzero_si128());
    _mm_storel_epi64((__m128i *)(codes + i), bytes);
  }
  return i;
}

AVX2 static size_t extremes_avx2(const float *values, size_t count, float *low, float *high, uint32_t *largest) {
  if (count < 8) return 0;
  const __m256i magnitude = _mm256_set1_epi32(0x7fffffff);
  __m256 least = _mm256_loadu_ps(values), most = least;
  __m256i top = _mm256_setzero_si256();
  size_t i = 0;
  for (; i + 8 <= count; i += 8) {
    __m256 value = _mm256_loadu_ps(values + i);
    least = _mm256_min_ps(least, value);
    most = _mm256_max_ps(most, value);
    top = _mm256_max_epi32(top, _mm256_and_si256(_mm256_castps_si256(value), magnitude));
  }
  float lows[8], highs[8];
  uint32_t tops[8];
  _mm256_storeu_ps(lows, least);
  _mm256_storeu_ps(highs, most);
  _mm256_storeu_si256((__m256i *)tops, top);
  for (int lane = 0; lane < 8; lane++) {
    *low = lows[lane] < *low ? lows[lane] : *low;
    *high = highs[lane] > *high ? highs[lane] : *high;
    *largest = tops[lane] > *largest ? tops[lane] : *largest;
  }
  return i;
}

AVX2 static size_t pack_nibbles_avx2(const uint8_t *codes, size_t count, uint8_t *output) {
  const __m256i mask = _mm256_set1_epi8(15);
  size_t i = 0;
  for (; i + 32 <= count; i += 32) {
    __m256i bytes = _mm256_and_si256(_mm256_loadu_si256((const __m256i *)(codes + i)), mask);
    store_nibbles_32(output + i / 2, bytes, 0);
  }
  return i;
}
#endif

int bale_group_extremes(const float *values, size_t count, float *low, float *high) {
  uint32_t largest = 0;
  *low = __builtin_inff();
  *high = -__builtin_inff();
  size_t i = FAST(extremes_avx2(values, count, low, high, &largest));
  for (; i < count; i++) {
    uint32_t magnitude = bits_of(values[i]) & 0x7fffffff;
    largest = magnitude > largest ? magnitude : largest;
    *low = values[i] < *low ? values[i] : *low;
    *high = values[i] > *high ? values[i] : *high;
  }
  return largest < 0x7f800000;
}

void bale_group_codes(const float *values, size_t count, bale_group_terms terms, uint8_t *codes) {
  size_t i = terms.inverse == 0 ? 0 : FAST(codes_avx2(values, count, terms, codes));
  for (; i < count; i++) codes[i] = (uint8_t)(int32_t)nearest_code(values[i], terms);
}

// Eight codes fill `bits` bytes.
void bale_pack_codes(const uint8_t *codes, size_t count, unsigned bits, uint8_t *output) {
  size_t i = bits == 4 ? FAST(pack_nibbles_avx2(codes, count, output)) : 0;
  uint64_t mask = (1u << bits) - 1;
  for (; i < count; i += 8) {
    size_t length = count - i < 8 ? count - i : 8;
    uint64_t word = 0;
    for (size_t j = 0; j < length; j++) word |= (codes[i + j] & mask) << j * bits;
    for (size_t byte = 0; byte * 8 < length * bits; byte++) output[i / 8 * bits + byte] = (uint8_t)(word >> byte * 8);
  }
}
