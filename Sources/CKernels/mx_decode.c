#include "codes16.h"
#include "fp8_values.h"
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

// Scale bytes from which no product of a scale and a value is subnormal but 0: the smallest value is 2^-16.
enum { NORMAL_SCALE = 17 };

// Stores values times their scale. The values of all elements are exact in BF16, or canonical NaNs, and a product that
// isn't subnormal is too.
AVX2_INLINE void store_scaled_16(floats_16 values, float scale, void *output, size_t start, int bf16) {
  const __m256 scales = _mm256_set1_ps(scale);
  __m256 first = _mm256_mul_ps(values.first, scales), second = _mm256_mul_ps(values.second, scales);
  if (!bf16) {
    store_eight(output, start, first, 0);
    return store_eight(output, start + 8, second, 0);
  }
  uint16_t *target = (uint16_t *)output + start;
  if (bits_of(scale) < (uint32_t)NORMAL_SCALE << 23) return store_bf16_16(target, first, second);
  prepare(target);
  __m256i mixed = _mm256_packus_epi32(_mm256_srli_epi32(_mm256_castps_si256(first), 16),
                                      _mm256_srli_epi32(_mm256_castps_si256(second), 16));
  _mm256_storeu_si256((__m256i *)target, _mm256_permute4x64_epi64(mixed, 0xd8));
}

// The values of sixteen codes of six bits: E3M2, or E2M3. In the fields of an F16 their exponents are too small.
AVX2_INLINE floats_16 six_bit_values_16(const uint8_t *codes, int e3m2) {
  __m256i top = top_codes_16(codes, 6);
  __m256i magnitude = _mm256_and_si256(top, _mm256_set1_epi16(0x7c00));
  __m256i sign = _mm256_and_si256(top, _mm256_set1_epi16((short)0x8000));
  __m256i halves = _mm256_or_si256(sign, _mm256_srli_epi16(magnitude, e3m2 ? 2 : 3));
  return values_of_halves(halves, e3m2 ? 0x1p12f : 0x1p14f);
}

#define DECODE_BLOCKS(NAME, BITS, BLOCK_KERNEL)                                                                   \
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

// A kernel of the values of sixteen codes, twice a block.
#define DECODE_HALF_BLOCKS(NAME, BITS, BF16, VALUES, ...)                                                         \
  DECODE_BLOCKS(NAME, BITS, for (size_t i = 0; i < BLOCK; i += 16) store_scaled_16(                               \
                                VALUES(block + i / 8 * BITS __VA_ARGS__), scale, output, b * BLOCK + i, BF16))

DECODE_BLOCKS(four_f32, 4, decode_four_bits(table, block, scale, b * BLOCK, output, 0))
DECODE_BLOCKS(four_bf16, 4, decode_four_bits(table, block, scale, b * BLOCK, output, 1))
DECODE_HALF_BLOCKS(e3m2_f32, 6, 0, six_bit_values_16, , 1)
DECODE_HALF_BLOCKS(e3m2_bf16, 6, 1, six_bit_values_16, , 1)
DECODE_HALF_BLOCKS(e2m3_f32, 6, 0, six_bit_values_16, , 0)
DECODE_HALF_BLOCKS(e2m3_bf16, 6, 1, six_bit_values_16, , 0)
DECODE_HALF_BLOCKS(e4m3_f32, 8, 0, e4m3_values_16)
DECODE_HALF_BLOCKS(e4m3_bf16, 8, 1, e4m3_values_16)
DECODE_HALF_BLOCKS(e5m2_f32, 8, 0, e5m2_values_16)
DECODE_HALF_BLOCKS(e5m2_bf16, 8, 1, e5m2_values_16)
#endif

// Whole blocks by the vector kernel, if there is one; returns how many elements it did.
static size_t decode_blocks(const float *table, unsigned bits, const uint8_t *codes, const uint8_t *scales,
                            size_t count, void *output, int bf16) {
#if defined(__x86_64__)
  if (!has_avx2()) return 0;
  if (bits == 4) return (bf16 ? four_bf16 : four_f32)(table, codes, scales, count, output);
  if (bits == 6 && table[0x1f] == 28) return (bf16 ? e3m2_bf16 : e3m2_f32)(table, codes, scales, count, output);
  if (bits == 6) return (bf16 ? e2m3_bf16 : e2m3_f32)(table, codes, scales, count, output);
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
