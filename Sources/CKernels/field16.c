#include "field16.h"

// The products of a factor and each value of a nibble at each of its four places, low and high bytes apart: what one
// shuffle looks up.
typedef struct {
  uint8_t low[4][16];
  uint8_t high[4][16];
} products;

static void tabulate(uint16_t factor, products *table) {
  uint16_t power = factor;
  for (int nibble = 0; nibble < 4; nibble++) {
    uint16_t entries[16] = {0};
    for (int bit = 0; bit < 4; bit++) {
      for (int i = 0; i < 1 << bit; i++) entries[(1 << bit) + i] = entries[i] ^ power;
      power = (uint16_t)(power << 1 ^ (power & 0x8000 ? 0x100b : 0));
    }
    for (int i = 0; i < 16; i++) {
      table->low[nibble][i] = (uint8_t)entries[i];
      table->high[nibble][i] = (uint8_t)(entries[i] >> 8);
    }
  }
}

static void add_portable(uint8_t *target, const uint8_t *source, size_t groups, const products *table) {
  for (size_t i = 0; i < 128 * groups; i += i % 128 == 63 ? 65 : 1) {
    uint8_t low = source[i], high = source[i + 64];
    target[i] ^= table->low[0][low & 15] ^ table->low[1][low >> 4] ^ table->low[2][high & 15] ^ table->low[3][high >> 4];
    target[i + 64] ^=
        table->high[0][low & 15] ^ table->high[1][low >> 4] ^ table->high[2][high & 15] ^ table->high[3][high >> 4];
  }
}

#if defined(__x86_64__)
#include <immintrin.h>

__attribute__((target("avx2"))) static void add_avx2(
    uint8_t *target, const uint8_t *source, size_t groups, const products *table) {
  const __m256i nibble = _mm256_set1_epi8(15);
  __m256i low[4], high[4];
  for (int i = 0; i < 4; i++) {
    low[i] = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)table->low[i]));
    high[i] = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)table->high[i]));
  }
  for (size_t half = 0; half < 2 * groups; half++) {
    size_t at = half / 2 * 128 + half % 2 * 32;
    __m256i a = _mm256_loadu_si256((const __m256i *)(source + at));
    __m256i b = _mm256_loadu_si256((const __m256i *)(source + at + 64));
    __m256i n0 = _mm256_and_si256(a, nibble), n1 = _mm256_and_si256(_mm256_srli_epi16(a, 4), nibble);
    __m256i n2 = _mm256_and_si256(b, nibble), n3 = _mm256_and_si256(_mm256_srli_epi16(b, 4), nibble);
    __m256i x = _mm256_xor_si256(
        _mm256_xor_si256(_mm256_shuffle_epi8(low[0], n0), _mm256_shuffle_epi8(low[1], n1)),
        _mm256_xor_si256(_mm256_shuffle_epi8(low[2], n2), _mm256_shuffle_epi8(low[3], n3)));
    __m256i y = _mm256_xor_si256(
        _mm256_xor_si256(_mm256_shuffle_epi8(high[0], n0), _mm256_shuffle_epi8(high[1], n1)),
        _mm256_xor_si256(_mm256_shuffle_epi8(high[2], n2), _mm256_shuffle_epi8(high[3], n3)));
    __m256i *to = (__m256i *)(target + at), *to_high = (__m256i *)(target + at + 64);
    _mm256_storeu_si256(to, _mm256_xor_si256(_mm256_loadu_si256(to), x));
    _mm256_storeu_si256(to_high, _mm256_xor_si256(_mm256_loadu_si256(to_high), y));
  }
}

__attribute__((target("avx512f,avx512bw"))) static void add_avx512(
    uint8_t *target, const uint8_t *source, size_t groups, const products *table) {
  const __m512i nibble = _mm512_set1_epi8(15);
  __m512i low[4], high[4];
  for (int i = 0; i < 4; i++) {
    low[i] = _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)table->low[i]));
    high[i] = _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)table->high[i]));
  }
  for (size_t at = 0; at < 128 * groups; at += 128) {
    __m512i a = _mm512_loadu_si512(source + at), b = _mm512_loadu_si512(source + at + 64);
    __m512i n0 = _mm512_and_si512(a, nibble), n1 = _mm512_and_si512(_mm512_srli_epi16(a, 4), nibble);
    __m512i n2 = _mm512_and_si512(b, nibble), n3 = _mm512_and_si512(_mm512_srli_epi16(b, 4), nibble);
    // 0x96: the exclusive or of three.
    __m512i x = _mm512_ternarylogic_epi64(
        _mm512_shuffle_epi8(low[0], n0), _mm512_shuffle_epi8(low[1], n1), _mm512_shuffle_epi8(low[2], n2), 0x96);
    __m512i y = _mm512_ternarylogic_epi64(
        _mm512_shuffle_epi8(high[0], n0), _mm512_shuffle_epi8(high[1], n1), _mm512_shuffle_epi8(high[2], n2), 0x96);
    x = _mm512_ternarylogic_epi64(x, _mm512_shuffle_epi8(low[3], n3), _mm512_loadu_si512(target + at), 0x96);
    y = _mm512_ternarylogic_epi64(y, _mm512_shuffle_epi8(high[3], n3), _mm512_loadu_si512(target + at + 64), 0x96);
    _mm512_storeu_si512(target + at, x);
    _mm512_storeu_si512(target + at + 64, y);
  }
}
#endif

void bale_field16_add(uint8_t *target, const uint8_t *source, size_t groups, uint16_t factor) {
  products table;
  tabulate(factor, &table);
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512bw")) return add_avx512(target, source, groups, &table);
  if (__builtin_cpu_supports("avx2")) return add_avx2(target, source, groups, &table);
#endif
  add_portable(target, source, groups, &table);
}
