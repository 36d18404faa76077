#include "nvfp4.h"

#include "mx_round.h"

enum { BLOCK = 16, LARGEST_SCALE = 126, BELOW = 3, ABOVE = 6 };

static const bale_mx_element e2m1 = {4, 1, 0, 2, 6.0f}, e4m3 = {8, 3, -6, 8, 448.0f};

// ---- Decoding ----

INLINE void decode_from(size_t i, const float *table, const float *scales_of, const uint8_t *codes,
                        const uint8_t *scales, size_t count, void *output, int bf16) {
  for (; i < count; i++) store_one(output, i, table[code_at(codes, i, 4)] * scales_of[scales[i / BLOCK]], bf16);
}

#if defined(__x86_64__)
AVX2_INLINE __m256 eight_values(__m256 low, __m256 high, const uint8_t *bytes) {
  const __m256i shifts = _mm256_setr_epi32(28, 24, 20, 16, 12, 8, 4, 0);
  uint32_t word;
  memcpy(&word, bytes, 4);
  __m256i top = _mm256_sllv_epi32(_mm256_set1_epi32((int)word), shifts);
  __m256i lanes = _mm256_srli_epi32(top, 28);
  __m256 first = _mm256_permutevar8x32_ps(low, lanes), second = _mm256_permutevar8x32_ps(high, lanes);
  return _mm256_blendv_ps(first, second, _mm256_castsi256_ps(top));
}

// Whole blocks; returns how many elements it did. Scales are finite, so no value is a NaN.
AVX2_INLINE size_t decode_blocks(const float *table, const float *scales_of, const uint8_t *codes,
                                 const uint8_t *scales, size_t count, void *output, int bf16) {
  const __m256 low = _mm256_loadu_ps(table), high = _mm256_loadu_ps(table + 8);
  size_t i = 0;
  for (; i + BLOCK <= count; i += BLOCK) {
    __m256 scale = _mm256_set1_ps(scales_of[scales[i / BLOCK]]);
    __m256 first = _mm256_mul_ps(eight_values(low, high, codes + i / 2), scale);
    __m256 second = _mm256_mul_ps(eight_values(low, high, codes + i / 2 + 4), scale);
    if (bf16) {
      store_bf16_16((uint16_t *)output + i, first, second);
    } else {
      store_eight(output, i, first, 0);
      store_eight(output, i + 8, second, 0);
    }
  }
  return i;
}

AVX2 static size_t decode_f32_avx2(const float *table, const float *scales_of, const uint8_t *codes,
                                   const uint8_t *scales, size_t count, float *output) {
  return decode_blocks(table, scales_of, codes, scales, count, output, 0);
}

AVX2 static size_t decode_bf16_avx2(const float *table, const float *scales_of, const uint8_t *codes,
                                    const uint8_t *scales, size_t count, uint16_t *output) {
  return decode_blocks(table, scales_of, codes, scales, count, output, 1);
}
#endif

void bale_nvfp4_decode(const float *table, const float *scales_of, const uint8_t *codes, const uint8_t *scales,
                       size_t count, float *output) {
  size_t done = FAST(decode_f32_avx2(table, scales_of, codes, scales, count, output));
  decode_from(done, table, scales_of, codes, scales, count, output, 0);
}

void bale_nvfp4_decode_bf16(const float *table, const float *scales_of, const uint8_t *codes, const uint8_t *scales,
                            size_t count, uint16_t *output) {
  size_t done = FAST(decode_bf16_avx2(table, scales_of, codes, scales, count, output));
  decode_from(done, table, scales_of, codes, scales, count, output, 1);
}

// ---- Encoding ----

// The scale byte nearest to what the largest magnitude asks for; 0 for zeros alone.
INLINE uint32_t nearest_scale(const bale_nvfp4_scales *known, uint32_t largest) {
  if (largest == 0) return 0;
  uint32_t byte = code_of(e4m3, rounded(e4m3, float_of(largest) * known->unit));
  return byte ? byte : 1;
}

// Of the bytes around `nearest` the one with the least error, the smaller at a tie.
#define BEST_SCALE(NEAREST, ERROR)                                                             \
  uint32_t first = (NEAREST) > BELOW + 1 ? (NEAREST) - BELOW : 1, best = first;                \
  uint32_t last = (NEAREST) + ABOVE < LARGEST_SCALE ? (NEAREST) + ABOVE : LARGEST_SCALE;       \
  float least = __builtin_inff();                                                              \
  for (uint32_t scale = first; scale <= last; scale++) {                                       \
    float error = (ERROR) * (known->weights[scale] * known->weights[scale]);                   \
    if (error < least) least = error, best = scale;                                            \
  }                                                                                            \
  return best

static float squared_error(const float *values, size_t count, float inverse) {
  float lanes[8] = {0};
  for (size_t i = 0; i < count; i++) {
    float magnitude = __builtin_fabsf(values[i]) * inverse;
    float difference = rounded(e2m1, magnitude) - magnitude;
    lanes[i % 8] += difference * difference;
  }
  return lane_total(lanes);
}

static uint32_t best_scale(const bale_nvfp4_scales *known, const float *values, size_t count, uint32_t nearest) {
  BEST_SCALE(nearest, squared_error(values, count, known->inverses[scale]));
}

static int encode_block(const bale_nvfp4_scales *known, const float *values, size_t count, uint8_t *codes,
                        uint8_t *scale) {
  uint32_t largest = largest_from(0, values, count, 0);
  if (largest >= 0x7f800000) return 0;
  uint32_t byte = nearest_scale(known, largest);
  if (byte && known->searched) byte = best_scale(known, values, count, byte);
  *scale = (uint8_t)byte;
  memset(codes, 0, (count + 1) / 2);
  for (size_t i = 0; i < count; i++) {
    uint32_t code = code_of(e2m1, rounded(e2m1, __builtin_fabsf(values[i]) * known->inverses[byte]));
    codes[i / 2] |= (uint8_t)((code | bits_of(values[i]) >> 31 << 3) << (i % 2 ? 4 : 0));
  }
  return 1;
}

#if defined(__x86_64__)
AVX2_INLINE __m256 squared_error_8(__m256 magnitudes, __m256 inverse) {
  __m256 scaled = _mm256_mul_ps(magnitudes, inverse);
  __m256 difference = _mm256_sub_ps(rounded_8(e2m1, scaled), scaled);
  return _mm256_mul_ps(difference, difference);
}

AVX2_INLINE float squared_error_16(__m256 first, __m256 second, float inverse) {
  __m256 inverses = _mm256_set1_ps(inverse);
  return lane_total_8(_mm256_add_ps(squared_error_8(first, inverses), squared_error_8(second, inverses)));
}

AVX2_INLINE uint32_t best_scale_16(const bale_nvfp4_scales *known, __m256 one, __m256 two, uint32_t nearest) {
  BEST_SCALE(nearest, squared_error_16(one, two, known->inverses[scale]));
}

AVX2_INLINE uint32_t largest_16(__m256 first, __m256 second) {
  __m256i eight = _mm256_max_epi32(_mm256_castps_si256(first), _mm256_castps_si256(second));
  __m128i four = _mm_max_epi32(_mm256_castsi256_si128(eight), _mm256_extracti128_si256(eight, 1));
  four = _mm_max_epi32(four, _mm_shuffle_epi32(four, 0x4e));
  four = _mm_max_epi32(four, _mm_shuffle_epi32(four, 0xb1));
  return (uint32_t)_mm_cvtsi128_si32(four);
}

AVX2_INLINE __m256i codes_of_8(__m256 magnitudes, __m256 values, __m256 inverse) {
  __m256i code = code_of_8(e2m1, rounded_8(e2m1, _mm256_mul_ps(magnitudes, inverse)));
  __m256i sign = _mm256_srli_epi32(_mm256_castps_si256(values), 31);
  return _mm256_or_si256(code, _mm256_slli_epi32(sign, 3));
}

AVX2_INLINE void store_nibbles_16(uint8_t *output, __m256i first, __m256i second) {
  __m256i words = _mm256_permute4x64_epi64(_mm256_packus_epi32(first, second), 0xd8);
  __m128i bytes = _mm_packus_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
  __m128i pairs = _mm_maddubs_epi16(bytes, _mm_set1_epi16(0x1001));
  _mm_storel_epi64((__m128i *)output, _mm_packus_epi16(pairs, pairs));
}

// Whole blocks, up to the first that can't be encoded; returns how many elements it did.
AVX2 static size_t encode_blocks(const bale_nvfp4_scales *known, const float *values, size_t count, uint8_t *codes,
                                 uint8_t *scales) {
  const __m256 sign = _mm256_set1_ps(-0.0f);
  size_t i = 0;
  for (; i + BLOCK <= count; i += BLOCK) {
    __m256 first = _mm256_loadu_ps(values + i), second = _mm256_loadu_ps(values + i + 8);
    __m256 one = _mm256_andnot_ps(sign, first), two = _mm256_andnot_ps(sign, second);
    uint32_t largest = largest_16(one, two);
    if (largest >= 0x7f800000) return i;
    uint32_t byte = nearest_scale(known, largest);
    if (byte && known->searched) byte = best_scale_16(known, one, two, byte);
    scales[i / BLOCK] = (uint8_t)byte;
    __m256 inverse = _mm256_set1_ps(known->inverses[byte]);
    store_nibbles_16(codes + i / 2, codes_of_8(one, first, inverse), codes_of_8(two, second, inverse));
  }
  return i;
}
#endif

size_t bale_nvfp4_encode(const bale_nvfp4_scales *known, const float *values, size_t count, uint8_t *codes,
                         uint8_t *scales) {
  size_t i = FAST(encode_blocks(known, values, count, codes, scales));
  for (; i < count; i += BLOCK) {
    size_t length = count - i < BLOCK ? count - i : BLOCK;
    if (!encode_block(known, values + i, length, codes + i / 2, scales + i / BLOCK)) return i;
  }
  return count;
}
