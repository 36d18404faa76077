#include "fp8_values.h"
#include "lanes.h"
#include "mx.h"

enum { BLOCK = 32 };

// 2^(byte - 127): subnormal for 0.
INLINE float scale_of(uint8_t byte) { return float_of(byte ? (uint32_t)byte << 23 : 0x400000); }

INLINE void decode(const float *table, unsigned bits, const uint8_t *codes, const uint8_t *scales, size_t first,
                   size_t count, void *output, int bf16) {
  for (size_t i = first; i < count; i++) {
    store_one(output, i, table[code_at(codes, i, bits)] * scale_of(scales[i / BLOCK]), bf16);
  }
}

#if defined(__x86_64__)
// The eight magnitudes fit a register; the sign is moved over from the code.
AVX2_INLINE void decode_four_bits(const float *table, const uint8_t *codes, float scale, size_t start, void *output,
                                  int bf16) {
  const __m256i sign = _mm256_set1_epi32((int)0x80000000);
  __m256 magnitudes = _mm256_mul_ps(_mm256_loadu_ps(table), _mm256_set1_ps(scale));
  if (bf16) {
    bf16_table values = bf16_table_exact(magnitudes, _mm256_xor_ps(magnitudes, _mm256_castsi256_ps(sign)));
    return store_bf16_32((uint16_t *)output + start, codes, values, 0);
  }
  for (size_t i = 0; i < BLOCK; i += 8) {
    __m256i lanes = unpack_eight(codes + i / 2, 4);
    __m256 magnitude = _mm256_permutevar8x32_ps(magnitudes, lanes);
    __m256i signs = _mm256_and_si256(_mm256_slli_epi32(lanes, 28), sign);
    store_eight(output, start + i, _mm256_or_ps(magnitude, _mm256_castsi256_ps(signs)), 0);
  }
}

AVX2_INLINE void decode_wide(const float *table, unsigned bits, const uint8_t *codes, float scale, size_t start,
                             void *output, int bf16) {
  const __m256i mask = _mm256_set1_epi32((1 << bits) - 1);
  for (size_t i = 0; i < BLOCK; i += 8) {
    __m256i lanes = _mm256_and_si256(unpack_eight(codes + i / 8 * bits, bits), mask);
    __m256 values = _mm256_i32gather_ps(table, lanes, 4);
    store_eight(output, start + i, _mm256_mul_ps(values, _mm256_set1_ps(scale)), bf16);
  }
}

// Codes of eight bits.
AVX2_INLINE void decode_eight_bits(const float *table, int e4m3, const uint8_t *codes, float scale, size_t start,
                                   void *output, int bf16) {
  const __m256 subnormal = _mm256_loadu_ps(table), scales = _mm256_set1_ps(scale);
  if (e4m3 && bf16) {
    store_e4m3_bf16_16((uint16_t *)output + start, subnormal, codes, scales);
    return store_e4m3_bf16_16((uint16_t *)output + start + 16, subnormal, codes + 16, scales);
  }
  for (size_t i = 0; i < BLOCK; i += 8) {
    __m256 values = e4m3 ? e4m3_values(subnormal, codes + i) : e5m2_values(codes + i);
    store_eight(output, start + i, _mm256_mul_ps(values, scales), bf16);
  }
}

#define DECODE_BLOCKS(NAME, BITS, BLOCK_KERNEL, BF16)                                                             \
  AVX2 static size_t NAME(const float *table, const uint8_t *codes, const uint8_t *scales, size_t count,          \
                          void *output) {                                                                         \
    size_t blocks = count / BLOCK;                                                                                \
    for (size_t b = 0; b < blocks; b++) {                                                                         \
      const uint8_t *block = codes + b * (BLOCK / 8 * BITS);                                                      \
      float scale = scale_of(scales[b]);                                                                          \
      BLOCK_KERNEL;                                                                                               \
    }                                                                                                             \
    return blocks * BLOCK;                                                                                        \
  }

DECODE_BLOCKS(four_f32, 4, decode_four_bits(table, block, scale, b * BLOCK, output, 0), 0)
DECODE_BLOCKS(four_bf16, 4, decode_four_bits(table, block, scale, b * BLOCK, output, 1), 1)
DECODE_BLOCKS(six_f32, 6, decode_wide(table, 6, block, scale, b * BLOCK, output, 0), 0)
DECODE_BLOCKS(six_bf16, 6, decode_wide(table, 6, block, scale, b * BLOCK, output, 1), 1)
DECODE_BLOCKS(e4m3_f32, 8, decode_eight_bits(table, 1, block, scale, b * BLOCK, output, 0), 0)
DECODE_BLOCKS(e4m3_bf16, 8, decode_eight_bits(table, 1, block, scale, b * BLOCK, output, 1), 1)
DECODE_BLOCKS(e5m2_f32, 8, decode_eight_bits(table, 0, block, scale, b * BLOCK, output, 0), 0)
DECODE_BLOCKS(e5m2_bf16, 8, decode_eight_bits(table, 0, block, scale, b * BLOCK, output, 1), 1)
#endif

// Whole blocks by the vector kernel, if there is one; returns how many elements it did.
static size_t decode_blocks(const float *table, unsigned bits, const uint8_t *codes, const uint8_t *scales,
                            size_t count, void *output, int bf16) {
#if defined(__x86_64__)
  if (!has_avx2()) return 0;
  if (bits == 4) return (bf16 ? four_bf16 : four_f32)(table, codes, scales, count, output);
  if (bits == 6) return (bf16 ? six_bf16 : six_f32)(table, codes, scales, count, output);
  if (table[0x7e] == 448) return (bf16 ? e4m3_bf16 : e4m3_f32)(table, codes, scales, count, output);
  return (bf16 ? e5m2_bf16 : e5m2_f32)(table, codes, scales, count, output);
#else
  return 0;
#endif
}

void bale_mx_decode(const float *table, unsigned bits, const uint8_t *codes, const uint8_t *scales, size_t count,
                    float *output) {
  size_t done = decode_blocks(table, bits, codes, scales, count, output, 0);
  decode(table, bits, codes, scales, done, count, output, 0);
}

void bale_mx_decode_bf16(const float *table, unsigned bits, const uint8_t *codes, const uint8_t *scales,
                         size_t count, uint16_t *output) {
  size_t done = decode_blocks(table, bits, codes, scales, count, output, 1);
  decode(table, bits, codes, scales, done, count, output, 1);
}
