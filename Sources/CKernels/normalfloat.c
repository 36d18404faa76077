#include "normalfloat.h"

#include "lanes.h"

// ---- Portable, from element `i` on; `i` is even ----

INLINE void decode_from(size_t i, const float *table, float scale, const uint8_t *codes, size_t count, void *output,
                        int bf16) {
  for (; i < count; i++) {
    unsigned code = i % 2 ? codes[i / 2] & 15 : codes[i / 2] >> 4;
    store_one(output, i, table[code] * scale, bf16);
  }
}

INLINE uint8_t code_of(const bale_table4_search *search, float value) {
  unsigned rank = 0;
  for (int t = 0; t < 15; t++) rank += value > search->thresholds[t];
  return search->codes[rank];
}

#if defined(__x86_64__)
AVX2_INLINE size_t decode_avx2(const float *table, float scale, const uint8_t *codes, size_t count, void *output,
                               int bf16) {
  __m256 scales = _mm256_set1_ps(scale);
  __m256 low = _mm256_mul_ps(_mm256_loadu_ps(table), scales);
  __m256 high = _mm256_mul_ps(_mm256_loadu_ps(table + 8), scales);
  size_t i = 0;
  if (bf16) {
    bf16_table values = bf16_table_of(low, high);
    for (; i + 32 <= count; i += 32) store_bf16_32((uint16_t *)output + i, codes + i / 2, values, 1);
    return i;
  }
  const __m256i shifts = _mm256_setr_epi32(24, 28, 16, 20, 8, 12, 0, 4);
  for (; i + 8 <= count; i += 8) {
    uint32_t word;
    memcpy(&word, codes + i / 2, 4);
    __m256i top = _mm256_sllv_epi32(_mm256_set1_epi32((int)word), shifts);
    __m256i lanes = _mm256_srli_epi32(top, 28);
    __m256 first = _mm256_permutevar8x32_ps(low, lanes), second = _mm256_permutevar8x32_ps(high, lanes);
    store_eight(output, i, _mm256_blendv_ps(first, second, _mm256_castsi256_ps(top)), 0);
  }
  return i;
}

AVX2_INLINE void blocks_avx2(const float *table, const float *scales, size_t block, const uint8_t *codes, size_t count,
                             void *output, int bf16) {
  for (size_t start = 0; start < count; start += block, scales++) {
    size_t length = count - start < block ? count - start : block;
    const uint8_t *own = codes + start / 2;
    uint8_t *target = (uint8_t *)output + start * (bf16 ? 2 : 4);
    size_t done = decode_avx2(table, *scales, own, length, target, bf16);
    if (done < length) decode_from(done, table, *scales, own, length, target, bf16);
  }
}

AVX2 static void decode_f32_avx2(const float *table, const float *scales, size_t block, const uint8_t *codes,
                                 size_t count, void *output) {
  blocks_avx2(table, scales, block, codes, count, output, 0);
}

AVX2 static void decode_bf16_avx2(const float *table, const float *scales, size_t block, const uint8_t *codes,
                                  size_t count, void *output) {
  blocks_avx2(table, scales, block, codes, count, output, 1);
}

// A block's sixteen values as BF16 in both halves of a register: a code finds its own by its four lowest bits.
AVX512 static void decode_bf16_avx512(const float *table, const float *scales, size_t block, const uint8_t *codes,
                                      size_t count, uint16_t *output) {
  __m512 values = _mm512_loadu_ps(table);
  for (size_t start = 0; start < count; start += block, scales++) {
    __m512i bits = _mm512_castps_si512(_mm512_mul_ps(values, _mm512_set1_ps(*scales)));
    __m512i odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
    __m512i bump = _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff));
    __m512i nearest = _mm512_srli_epi32(_mm512_add_epi32(bits, bump), 16);
    __m512i words = _mm512_broadcast_i64x4(_mm512_cvtepi32_epi16(nearest));
    size_t length = count - start < block ? count - start : block, i = 0;
    const uint8_t *own = codes + start / 2;
    for (; i + 32 <= length; i += 32) {
      prepare(output + start + i);
      __m512i pairs = _mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)(own + i / 2)));
      __m512i places = _mm512_or_si512(_mm512_srli_epi32(pairs, 4), _mm512_slli_epi32(pairs, 16));
      _mm512_storeu_si512(output + start + i, _mm512_permutexvar_epi16(places, words));
    }
    if (i < length) decode_from(i, table, *scales, own, length, output + start, 1);
  }
}

AVX2_INLINE __m256i ranks_of(const bale_table4_search *search, __m256 values) {
  __m256i ranks = _mm256_setzero_si256();
  for (int t = 0; t < 15; t++) {
    __m256 above = _mm256_cmp_ps(values, _mm256_set1_ps(search->thresholds[t]), _CMP_GT_OQ);
    ranks = _mm256_sub_epi32(ranks, _mm256_castps_si256(above));
  }
  return ranks;
}

AVX2 static size_t encode_avx2(const bale_table4_search *search, const float *values, float inverse, size_t count,
                               uint8_t *codes) {
  const __m256i map = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)search->codes));
  size_t i = 0;
  for (; i + 32 <= count; i += 32) {
    __m256i ranks[4];
    for (int part = 0; part < 4; part++) {
      __m256 scaled = _mm256_mul_ps(_mm256_loadu_ps(values + i + 8 * part), _mm256_set1_ps(inverse));
      ranks[part] = ranks_of(search, scaled);
    }
    store_nibbles_32(codes + i / 2, _mm256_shuffle_epi8(map, bytes_of_32(ranks)), 1);
  }
  return i;
}
#endif

INLINE void blocks_plain(const float *table, const float *scales, size_t block, const uint8_t *codes, size_t count,
                         void *output, int bf16) {
  for (size_t start = 0; start < count; start += block, scales++) {
    size_t length = count - start < block ? count - start : block;
    decode_from(0, table, *scales, codes + start / 2, length, (uint8_t *)output + start * (bf16 ? 2 : 4), bf16);
  }
}

void bale_table4_decode(const float *table, const float *scales, size_t block, const uint8_t *codes, size_t count,
                        float *output) {
#if defined(__x86_64__)
  if (has_avx2()) return decode_f32_avx2(table, scales, block, codes, count, output);
#endif
  blocks_plain(table, scales, block, codes, count, output, 0);
}

void bale_table4_decode_bf16(const float *table, const float *scales, size_t block, const uint8_t *codes, size_t count,
                             uint16_t *output) {
#if defined(__x86_64__)
  if (has_avx512()) return decode_bf16_avx512(table, scales, block, codes, count, output);
  if (has_avx2()) return decode_bf16_avx2(table, scales, block, codes, count, output);
#endif
  blocks_plain(table, scales, block, codes, count, output, 1);
}

int bale_table4_scales(const float *map, const uint8_t *bytes, float second, float offset, size_t count,
                       float *scales) {
  uint32_t largest = 0;
  for (size_t i = 0; i < count; i++) {
    float product = map[bytes[i]] * second;
    scales[i] = product + offset;
    uint32_t magnitude = bits_of(scales[i]) & 0x7fffffff;
    largest = magnitude > largest ? magnitude : largest;
  }
  return largest < 0x7f800000;
}

void bale_table4_encode(const bale_table4_search *search, const float *values, float inverse, size_t count,
                        uint8_t *codes) {
  size_t i = FAST(encode_avx2(search, values, inverse, count, codes));
  for (; i < count; i += 2) {
    unsigned second = i + 1 < count ? code_of(search, values[i + 1] * inverse) : 0;
    codes[i / 2] = (uint8_t)(code_of(search, values[i] * inverse) << 4 | second);
  }
}
