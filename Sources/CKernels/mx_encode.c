#include "lanes.h"
#include "mx.h"
#include "mx_round.h"

enum { BLOCK = 32 };

// 2^(127 - byte): subnormal for 254.
INLINE float inverse_of(uint32_t byte) { return float_of(byte == 254 ? 0x400000 : (254 - byte) << 23); }

// The scale of a block by the bits of its largest magnitude; the middle one of the search.
INLINE uint32_t scale_byte(bale_mx_element e, enum bale_mx_rule rule, uint32_t largest) {
  uint32_t exponent = largest >> 23;
  if (rule == BALE_MX_EVEN) exponent = (largest + (1u << (22 - e.mantissa_bits))) >> 23;
  if (rule == BALE_MX_CEIL) exponent += (largest & 0x7fffff) > (bits_of(e.largest) & 0x7fffff);
  return exponent > (uint32_t)e.largest_exponent ? exponent - (uint32_t)e.largest_exponent : 0;
}

// ---- One block, portable ----

static float squared_error(bale_mx_element e, const float *values, size_t count, uint32_t scale) {
  float lanes[8] = {0};
  for (size_t i = 0; i < count; i++) {
    float magnitude = __builtin_fabsf(values[i]) * inverse_of(scale);
    float difference = rounded(e, magnitude) - magnitude;
    lanes[i % 8] += difference * difference;
  }
  return lane_total(lanes);
}

// The one of floor - 1, floor and floor + 1 with the least error, the smaller at a tie. Errors are in units of the
// scale: the weights bring them to the same unit.
#define BEST_SCALE(FLOOR, ERROR)                                        \
  float least = __builtin_inff();                                       \
  uint32_t best = (FLOOR);                                              \
  for (uint32_t i = (FLOOR) ? 0 : 1; i < 3; i++) {                      \
    uint32_t scale = (FLOOR) + i - 1;                                   \
    float error = (ERROR) * (i == 0 ? 0.25f : i == 1 ? 1.0f : 4.0f);    \
    if (error < least) least = error, best = scale;                     \
  }                                                                     \
  return best

static uint32_t best_scale(bale_mx_element e, const float *values, size_t count, uint32_t floor) {
  BEST_SCALE(floor, squared_error(e, values, count, scale));
}

static void put_code(uint8_t *codes, size_t index, unsigned bits, uint32_t code) {
  size_t bit = index * bits;
  codes[bit / 8] |= (uint8_t)(code << bit % 8);
  if (bit % 8 + bits > 8) codes[bit / 8 + 1] |= (uint8_t)(code >> (8 - bit % 8));
}

static int encode_block(bale_mx_element e, enum bale_mx_rule rule, const float *values, size_t count,
                        uint8_t *codes, uint8_t *scale) {
  uint32_t largest = largest_from(0, values, count, 0);
  if (largest >= 0x7f800000) return 0;
  uint32_t byte = scale_byte(e, rule, largest);
  if (rule == BALE_MX_SEARCH) byte = best_scale(e, values, count, byte);
  *scale = (uint8_t)byte;
  memset(codes, 0, (count * e.bits + 7) / 8);
  for (size_t i = 0; i < count; i++) {
    uint32_t code = code_of(e, rounded(e, __builtin_fabsf(values[i]) * inverse_of(byte)));
    put_code(codes, i, e.bits, code | bits_of(values[i]) >> 31 << (e.bits - 1));
  }
  return 1;
}

// ---- One whole block, AVX2 ----

#if defined(__x86_64__)
AVX2_INLINE float squared_error_32(bale_mx_element e, const __m256 magnitudes[4], uint32_t scale) {
  __m256 inverse = _mm256_set1_ps(inverse_of(scale)), sum = _mm256_setzero_ps();
  for (int i = 0; i < 4; i++) {
    __m256 magnitude = _mm256_mul_ps(magnitudes[i], inverse);
    __m256 difference = _mm256_sub_ps(rounded_8(e, magnitude), magnitude);
    sum = _mm256_add_ps(sum, _mm256_mul_ps(difference, difference));
  }
  return lane_total_8(sum);
}

AVX2_INLINE uint32_t best_scale_32(bale_mx_element e, const __m256 magnitudes[4], uint32_t floor) {
  BEST_SCALE(floor, squared_error_32(e, magnitudes, scale));
}

// Four codes of six bits in three bytes.
AVX2_INLINE void store_six_bits(uint8_t *output, __m256i bytes) {
  __m256i pairs = _mm256_maddubs_epi16(bytes, _mm256_set1_epi16(0x4001));
  __m256i fours = _mm256_madd_epi16(pairs, _mm256_set1_epi32(0x10000001));
  const __m256i order = _mm256_setr_epi8(0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, -1, -1, -1, -1,  //
                                         0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, -1, -1, -1, -1);
  uint8_t packed[32];
  _mm256_storeu_si256((__m256i *)packed, _mm256_shuffle_epi8(fours, order));
  memcpy(output, packed, 12);
  memcpy(output + 12, packed + 16, 12);
}

AVX2_INLINE void store_codes(uint8_t *output, const __m256i codes[4], unsigned bits) {
  __m256i bytes = bytes_of_32(codes);
  if (bits == 4) {
    store_nibbles_32(output, bytes, 0);
  } else if (bits == 6) {
    store_six_bits(output, bytes);
  } else {
    _mm256_storeu_si256((__m256i *)output, bytes);
  }
}

AVX2_INLINE uint32_t largest_32(const __m256 magnitudes[4]) {
  __m256i low = _mm256_max_epi32(_mm256_castps_si256(magnitudes[0]), _mm256_castps_si256(magnitudes[1]));
  __m256i high = _mm256_max_epi32(_mm256_castps_si256(magnitudes[2]), _mm256_castps_si256(magnitudes[3]));
  __m256i eight = _mm256_max_epi32(low, high);
  __m128i four = _mm_max_epi32(_mm256_castsi256_si128(eight), _mm256_extracti128_si256(eight, 1));
  four = _mm_max_epi32(four, _mm_shuffle_epi32(four, 0x4e));
  four = _mm_max_epi32(four, _mm_shuffle_epi32(four, 0xb1));
  return (uint32_t)_mm_cvtsi128_si32(four);
}

AVX2_INLINE int encode_32(bale_mx_element e, enum bale_mx_rule rule, const float *values, uint8_t *codes,
                          uint8_t *scale) {
  const __m256 sign = _mm256_set1_ps(-0.0f);
  __m256 magnitudes[4], signs[4];
  for (int i = 0; i < 4; i++) {
    __m256 value = _mm256_loadu_ps(values + 8 * i);
    magnitudes[i] = _mm256_andnot_ps(sign, value);
    signs[i] = _mm256_and_ps(sign, value);
  }
  uint32_t largest = largest_32(magnitudes);
  if (largest >= 0x7f800000) return 0;
  uint32_t byte = scale_byte(e, rule, largest);
  if (rule == BALE_MX_SEARCH) byte = best_scale_32(e, magnitudes, byte);
  *scale = (uint8_t)byte;
  __m256 inverse = _mm256_set1_ps(inverse_of(byte));
  __m256i found[4];
  for (int i = 0; i < 4; i++) {
    __m256i code = code_of_8(e, rounded_8(e, _mm256_mul_ps(magnitudes[i], inverse)));
    __m256i top = _mm256_srl_epi32(_mm256_castps_si256(signs[i]), _mm_cvtsi32_si128((int)(32 - e.bits)));
    found[i] = _mm256_or_si256(code, top);
  }
  store_codes(codes, found, e.bits);
  return 1;
}

// With the element as a constant, so that its parameters become immediates.
#define ENCODE_BLOCKS(NAME, ...)                                                                                  \
  AVX2 static size_t NAME(enum bale_mx_rule rule, const float *values, size_t count, uint8_t *codes,              \
                          uint8_t *scales) {                                                                      \
    const bale_mx_element e = {__VA_ARGS__};                                                                      \
    size_t i = 0;                                                                                                 \
    for (; i + BLOCK <= count; i += BLOCK) {                                                                      \
      if (!encode_32(e, rule, values + i, codes + i / 8 * e.bits, scales + i / BLOCK)) return i;                  \
    }                                                                                                             \
    return i;                                                                                                     \
  }

ENCODE_BLOCKS(encode_e2m1, 4, 1, 0, 2, 6.0f)

AVX2 static size_t encode_any(bale_mx_element e, enum bale_mx_rule rule, const float *values, size_t count,
                              uint8_t *codes, uint8_t *scales) {
  size_t i = 0;
  for (; i + BLOCK <= count; i += BLOCK) {
    if (!encode_32(e, rule, values + i, codes + i / 8 * e.bits, scales + i / BLOCK)) return i;
  }
  return i;
}
#endif

// Whole blocks, up to the first that can't be encoded; returns how many elements it did.
static size_t encode_blocks(bale_mx_element e, enum bale_mx_rule rule, const float *values, size_t count,
                            uint8_t *codes, uint8_t *scales) {
#if defined(__x86_64__)
  if (!has_avx2()) return 0;
  if (e.bits == 4) return encode_e2m1(rule, values, count, codes, scales);
  return encode_any(e, rule, values, count, codes, scales);
#else
  return 0;
#endif
}

size_t bale_mx_encode(bale_mx_element element, enum bale_mx_rule rule, const float *values, size_t count,
                      uint8_t *codes, uint8_t *scales) {
  size_t i = encode_blocks(element, rule, values, count, codes, scales);
  for (; i < count; i += BLOCK) {
    size_t length = count - i < BLOCK ? count - i : BLOCK;
    if (!encode_block(element, rule, values + i, length, codes + i / 8 * element.bits, scales + i / BLOCK)) return i;
  }
  return count;
}
