#include "planes.h"

#include <string.h>

#define INLINE static inline __attribute__((always_inline))

// ---- Portable, from element `start` on; `size` is a constant after inlining ----

INLINE void split(const void *source, size_t size, size_t start, size_t count, uint8_t *const *planes) {
  const size_t bits = 8 * size;
  for (size_t i = start; i < count; i++) {
    uint64_t code = 0;
    memcpy(&code, (const uint8_t *)source + i * size, size);
    code = code << 1 | code >> (bits - 1);
    for (size_t p = 0; p < size; p++) planes[p][i] = (uint8_t)(code >> (bits - 8 - 8 * p));
  }
}

INLINE void join(const uint8_t *const *planes, size_t size, size_t start, size_t count, void *target) {
  const size_t bits = 8 * size;
  for (size_t i = start; i < count; i++) {
    uint64_t code = 0;
    for (size_t p = 0; p < size; p++) code = code << 8 | planes[p][i];
    code = code >> 1 | code << (bits - 1);
    memcpy((uint8_t *)target + i * size, &code, size);
  }
}

// ---- AVX2: 32 elements a step; each returns how many it did ----

#if defined(__x86_64__)
#include <immintrin.h>
#define AVX2 __attribute__((target("avx2")))
#define FAST(call) (__builtin_cpu_supports("avx2") ? (call) : 0)

AVX2 static inline __m256i load(const void *bytes, size_t vector) {
  return _mm256_loadu_si256((const __m256i *)bytes + vector);
}

AVX2 static inline void store(void *bytes, size_t vector, __m256i value) {
  _mm256_storeu_si256((__m256i *)bytes + vector, value);
}

AVX2 static inline __m256i rotated16(__m256i v) {
  return _mm256_or_si256(_mm256_slli_epi16(v, 1), _mm256_srli_epi16(v, 15));
}

AVX2 static size_t split16_avx2(const uint8_t *source, size_t count, uint8_t *const *planes) {
  const __m256i low_bytes = _mm256_set1_epi16(0xff);
  size_t i = 0;
  for (; i + 32 <= count; i += 32) {
    __m256i a = rotated16(load(source + 2 * i, 0)), b = rotated16(load(source + 2 * i, 1));
    __m256i high = _mm256_packus_epi16(_mm256_srli_epi16(a, 8), _mm256_srli_epi16(b, 8));
    __m256i low = _mm256_packus_epi16(_mm256_and_si256(a, low_bytes), _mm256_and_si256(b, low_bytes));
    store(planes[0] + i, 0, _mm256_permute4x64_epi64(high, 0xd8));
    store(planes[1] + i, 0, _mm256_permute4x64_epi64(low, 0xd8));
  }
  return i;
}

AVX2 static size_t join16_avx2(const uint8_t *const *planes, size_t count, uint8_t *target) {
  size_t i = 0;
  for (; i + 32 <= count; i += 32) {
    __m256i high = _mm256_permute4x64_epi64(load(planes[0] + i, 0), 0xd8);
    __m256i low = _mm256_permute4x64_epi64(load(planes[1] + i, 0), 0xd8);
    __m256i a = _mm256_unpacklo_epi8(low, high), b = _mm256_unpackhi_epi8(low, high);
    a = _mm256_or_si256(_mm256_srli_epi16(a, 1), _mm256_slli_epi16(a, 15));
    b = _mm256_or_si256(_mm256_srli_epi16(b, 1), _mm256_slli_epi16(b, 15));
    store(target + 2 * i, 0, a);
    store(target + 2 * i, 1, b);
  }
  return i;
}

// Rows and columns of the 4 x 4 matrix of 32-bit words that each half of four vectors makes.
AVX2 static inline void transpose(__m256i v[4]) {
  __m256i a = _mm256_unpacklo_epi32(v[0], v[1]), b = _mm256_unpackhi_epi32(v[0], v[1]);
  __m256i c = _mm256_unpacklo_epi32(v[2], v[3]), d = _mm256_unpackhi_epi32(v[2], v[3]);
  v[0] = _mm256_unpacklo_epi64(a, c);
  v[1] = _mm256_unpackhi_epi64(a, c);
  v[2] = _mm256_unpacklo_epi64(b, d);
  v[3] = _mm256_unpackhi_epi64(b, d);
}

// Four words of four bytes: byte p of every word to word p. Its own inverse.
#define BYTES_TO_WORDS \
  _mm256_setr_epi8(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15, \
                   0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15)

AVX2 static size_t split32_avx2(const uint8_t *source, size_t count, uint8_t *const *planes) {
  const __m256i words = BYTES_TO_WORDS, interleave = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
  size_t i = 0;
  for (; i + 32 <= count; i += 32) {
    __m256i v[4];
    for (size_t k = 0; k < 4; k++) {
      __m256i code = load(source + 4 * i, k);
      code = _mm256_or_si256(_mm256_slli_epi32(code, 1), _mm256_srli_epi32(code, 31));
      v[k] = _mm256_shuffle_epi8(code, words);
    }
    transpose(v);
    for (size_t p = 0; p < 4; p++) store(planes[3 - p] + i, 0, _mm256_permutevar8x32_epi32(v[p], interleave));
  }
  return i;
}

AVX2 static size_t join32_avx2(const uint8_t *const *planes, size_t count, uint8_t *target) {
  const __m256i words = BYTES_TO_WORDS, separate = _mm256_setr_epi32(0, 2, 4, 6, 1, 3, 5, 7);
  size_t i = 0;
  for (; i + 32 <= count; i += 32) {
    __m256i v[4];
    for (size_t p = 0; p < 4; p++) v[p] = _mm256_permutevar8x32_epi32(load(planes[3 - p] + i, 0), separate);
    transpose(v);
    for (size_t k = 0; k < 4; k++) {
      __m256i code = _mm256_shuffle_epi8(v[k], words);
      store(target + 4 * i, k, _mm256_or_si256(_mm256_srli_epi32(code, 1), _mm256_slli_epi32(code, 31)));
    }
  }
  return i;
}
#else
#define FAST(call) 0
#endif

// ---- Entry points ----

void bale_split_planes(const void *source, size_t size, size_t count, uint8_t *const *planes) {
  switch (size) {
    case 2: split(source, 2, FAST(split16_avx2(source, count, planes)), count, planes); break;
    case 4: split(source, 4, FAST(split32_avx2(source, count, planes)), count, planes); break;
    case 8: split(source, 8, 0, count, planes); break;
  }
}

void bale_join_planes(const uint8_t *const *planes, size_t size, size_t count, void *target) {
  switch (size) {
    case 2: join(planes, 2, FAST(join16_avx2(planes, count, target)), count, target); break;
    case 4: join(planes, 4, FAST(join32_avx2(planes, count, target)), count, target); break;
    case 8: join(planes, 8, 0, count, target); break;
  }
}
