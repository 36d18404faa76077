// What the kernels of several codecs share: eight F32 lanes, codes of a few bits, stores as F32 or BF16.
#ifndef BALE_LANES_H
#define BALE_LANES_H

#include "kernel.h"

// Code `index` of a little-endian stream of codes of `bits` bits.
INLINE uint32_t code_at(const uint8_t *row, size_t index, unsigned bits) {
  size_t bit = index * bits;
  uint32_t window = row[bit / 8];
  if (bit % 8 + bits > 8) window |= (uint32_t)row[bit / 8 + 1] << 8;
  return window >> bit % 8 & ((1u << bits) - 1);
}

// The bits of the largest magnitude, of those before value `i` and the values from there on. A NaN counts as the largest.
INLINE uint32_t largest_from(size_t i, const float *values, size_t count, uint32_t largest) {
  for (; i < count; i++) {
    uint32_t magnitude = bits_of(values[i]) & 0x7fffffff;
    largest = magnitude > largest ? magnitude : largest;
  }
  return largest;
}

// To nearest, ties to even; a NaN stays one.
INLINE uint16_t nearest_bf16(float value) {
  uint32_t bits = bits_of(value);
  if ((bits & 0x7fffffff) > 0x7f800000) return (uint16_t)(bits >> 16 | 0x40);
  return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

// Stores an element of F32 or BF16.
INLINE void store_one(void *output, size_t index, float value, int bf16) {
  if (bf16) {
    ((uint16_t *)output)[index] = nearest_bf16(value);
  } else {
    ((float *)output)[index] = value;
  }
}

// The sum of eight lanes, in the order that the Swift LaneSums has.
INLINE float lane_total(const float *lanes) {
  float even = (lanes[0] + lanes[4]) + (lanes[2] + lanes[6]);
  float odd = (lanes[1] + lanes[5]) + (lanes[3] + lanes[7]);
  return even + odd;
}

#if defined(__x86_64__)
AVX2_INLINE __m256i nearest_bf16_8(__m256 values) {
  __m256i bits = _mm256_castps_si256(values);
  __m256i high = _mm256_srli_epi32(bits, 16);
  __m256i bump = _mm256_add_epi32(_mm256_and_si256(high, _mm256_set1_epi32(1)), _mm256_set1_epi32(0x7fff));
  __m256i rounded = _mm256_srli_epi32(_mm256_add_epi32(bits, bump), 16);
  __m256i quiet = _mm256_or_si256(high, _mm256_set1_epi32(0x40));
  __m256i nan = _mm256_castps_si256(_mm256_cmp_ps(values, values, _CMP_UNORD_Q));
  return _mm256_blendv_epi8(rounded, quiet, nan);
}

// Asks for the line that will be written two KiB on. Outputs are larger than the caches, and the hardware's prefetcher
// stops at each page: a fifth faster. It is a hint, which no address makes fault.
AVX2_INLINE void prepare(const void *written) { _mm_prefetch((const char *)((uintptr_t)written + 2048), _MM_HINT_T0); }

// Stores eight elements of F32 or BF16.
AVX2_INLINE void store_eight(void *output, size_t index, __m256 values, int bf16) {
  prepare(bf16 ? (const void *)((uint16_t *)output + index) : (const void *)((float *)output + index));
  if (bf16) {
    __m256i codes = nearest_bf16_8(values);
    codes = _mm256_permute4x64_epi64(_mm256_packus_epi32(codes, codes), 0x08);
    _mm_storeu_si128((__m128i *)((uint16_t *)output + index), _mm256_castsi256_si128(codes));
  } else {
    _mm256_storeu_ps((float *)output + index, values);
  }
}

// Stores sixteen elements of BF16, to nearest, ties to even; none is a NaN.
AVX2_INLINE void store_bf16_16(uint16_t *output, __m256 first, __m256 second) {
  const __m256i one = _mm256_set1_epi32(1), half = _mm256_set1_epi32(0x7fff);
  __m256i low = _mm256_castps_si256(first), high = _mm256_castps_si256(second);
  prepare(output);
  low = _mm256_add_epi32(_mm256_add_epi32(low, half), _mm256_and_si256(_mm256_srli_epi32(low, 16), one));
  high = _mm256_add_epi32(_mm256_add_epi32(high, half), _mm256_and_si256(_mm256_srli_epi32(high, 16), one));
  __m256i mixed = _mm256_packus_epi32(_mm256_srli_epi32(low, 16), _mm256_srli_epi32(high, 16));
  _mm256_storeu_si256((__m256i *)output, _mm256_permute4x64_epi64(mixed, 0xd8));
}

// AVX-512 halves the work of a step that rounds sixteen values at once.
#define AVX512 __attribute__((target("avx2,f16c,avx512f,avx512bw,avx512vl,avx512dq")))
#define AVX512_INLINE static inline AVX512 __attribute__((always_inline, unused))

INLINE int has_avx512(void) {
  return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
}

// Eight codes from `bits` bytes; lanes keep what lies above the code unless `bits` is 8 or the width is odd.
AVX2_INLINE __m256i unpack_eight(const uint8_t *bytes, unsigned bits) {
  if (bits == 8) return _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)bytes));
  if (bits == 4 || bits == 2) {
    uint32_t word = 0;
    memcpy(&word, bytes, bits);
    int b = (int)bits;
    __m256i shifts = _mm256_setr_epi32(0, b, 2 * b, 3 * b, 4 * b, 5 * b, 6 * b, 7 * b);
    return _mm256_srlv_epi32(_mm256_set1_epi32((int)word), shifts);
  }
  uint64_t word = 0;
  memcpy(&word, bytes, bits);
  long long b = bits;
  __m256i words = _mm256_set1_epi64x((long long)word);
  __m256i low = _mm256_srlv_epi64(words, _mm256_setr_epi64x(0, b, 2 * b, 3 * b));
  __m256i high = _mm256_srlv_epi64(words, _mm256_setr_epi64x(4 * b, 5 * b, 6 * b, 7 * b));
  __m256 even = _mm256_shuffle_ps(_mm256_castsi256_ps(low), _mm256_castsi256_ps(high), 0x88);
  return _mm256_permute4x64_epi64(_mm256_castps_si256(even), 0xd8);
}

// BF16 values of sixteen codes, their low and high bytes in each half.
typedef struct {
  __m256i low, high;
} bf16_table;

AVX2_INLINE bf16_table bf16_table_of_codes(__m256i first, __m256i second) {
  __m256i codes = _mm256_permute4x64_epi64(_mm256_packus_epi32(first, second), 0xd8);
  __m256i low = _mm256_and_si256(codes, _mm256_set1_epi16(0xff)), high = _mm256_srli_epi16(codes, 8);
  __m256i bytes = _mm256_permute4x64_epi64(_mm256_packus_epi16(low, high), 0xd8);
  return (bf16_table){_mm256_permute2x128_si256(bytes, bytes, 0x00), _mm256_permute2x128_si256(bytes, bytes, 0x11)};
}

// To nearest, of the values of codes 0 to 7 and 8 to 15.
AVX2_INLINE bf16_table bf16_table_of(__m256 first, __m256 second) {
  return bf16_table_of_codes(nearest_bf16_8(first), nearest_bf16_8(second));
}

// Of values that BF16 holds.
AVX2_INLINE bf16_table bf16_table_exact(__m256 first, __m256 second) {
  return bf16_table_of_codes(_mm256_srli_epi32(_mm256_castps_si256(first), 16),
                             _mm256_srli_epi32(_mm256_castps_si256(second), 16));
}

// Stores the values of the 32 codes in sixteen bytes.
AVX2_INLINE void store_bf16_32(uint16_t *output, const uint8_t *bytes, bf16_table table, int high_first) {
  const __m128i mask = _mm_set1_epi8(15);
  prepare(output);
  __m128i pairs = _mm_loadu_si128((const __m128i *)bytes);
  __m128i low = _mm_and_si128(pairs, mask), high = _mm_and_si128(_mm_srli_epi16(pairs, 4), mask);
  __m128i first = high_first ? high : low, second = high_first ? low : high;
  __m256i codes = _mm256_set_m128i(_mm_unpackhi_epi8(first, second), _mm_unpacklo_epi8(first, second));
  __m256i low_bytes = _mm256_shuffle_epi8(table.low, codes), high_bytes = _mm256_shuffle_epi8(table.high, codes);
  __m256i even = _mm256_unpacklo_epi8(low_bytes, high_bytes), odd = _mm256_unpackhi_epi8(low_bytes, high_bytes);
  _mm256_storeu_si256((__m256i *)output, _mm256_permute2x128_si256(even, odd, 0x20));
  _mm256_storeu_si256((__m256i *)(output + 16), _mm256_permute2x128_si256(even, odd, 0x31));
}

AVX2_INLINE float lane_total_8(__m256 lanes) {
  __m128 four = _mm_add_ps(_mm256_castps256_ps128(lanes), _mm256_extractf128_ps(lanes, 1));
  __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps(two, two, 1)));
}

// Four registers of codes below 256 as 32 bytes.
AVX2_INLINE __m256i bytes_of_32(const __m256i codes[4]) {
  __m256i low = _mm256_packus_epi32(codes[0], codes[1]), high = _mm256_packus_epi32(codes[2], codes[3]);
  __m256i mixed = _mm256_packus_epi16(low, high);
  return _mm256_permutevar8x32_epi32(mixed, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7));
}

// Two codes of four bits a byte: of each pair the first in the low bits, or in the high ones.
AVX2_INLINE void store_nibbles_32(uint8_t *output, __m256i bytes, int high_first) {
  __m256i weights = _mm256_set1_epi16(high_first ? 0x0110 : 0x1001);
  __m256i pairs = _mm256_maddubs_epi16(bytes, weights);
  __m256i packed = _mm256_permute4x64_epi64(_mm256_packus_epi16(pairs, pairs), 0x08);
  _mm_storeu_si128((__m128i *)output, _mm256_castsi256_si128(packed));
}
#endif

#endif
