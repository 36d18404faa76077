// Encoders of Q4_K, Q5_K and Q6_K: the searches of ggml_fit.h, and what is made of their scales.
#include "ggml.h"

#include "kernel.h"

#if defined(__x86_64__)
#include "ggml_avx2.h"

#define ELEMENTS 256
#define PART 32

// Lanes where rounding by `ROUNDING` is exact.
AVX2_INLINE __m256 in_reach(__m256 value) {
  return _mm256_cmp_ps(magnitude(value), _mm256_set1_ps(ROUNDING_LIMIT), _CMP_LE_OQ);
}

AVX2_INLINE int every(__m256 mask) { return _mm256_movemask_ps(mask) == 0xff; }

// The integer that `Rounding.nearest` of the reference gives, whatever the value.
static inline int32_t nearest_integer(float value) {
  float sum = value + ROUNDING;
  int32_t bits;
  memcpy(&bits, &sum, 4);
  return (bits & 0x7fffff) - 0x400000;
}

// ---- Q4_K and Q5_K: eight sub-blocks of 32, scale * code - depth ----

// Two blocks at once fill the widest lanes.
#define GROUP 2

typedef struct {
  float scales[8 * GROUP], depths[8 * GROUP];
} affine_fits;

// Eight integers up to 63 that are to the largest value as the values are; returns the unit.
static inline float integers_of(const float *values, uint8_t *integers) {
  float largest = 0;
  for (int index = 0; index < 8; index++) largest = values[index] > largest ? values[index] : largest;
  float inverse = largest > 0 ? 63.0f / largest : 0;
  for (int index = 0; index < 8; index++) {
    uint8_t integer = (uint8_t)nearest_integer(inverse * values[index]);
    integers[index] = integer > 63 ? 63 : integer;
  }
  return largest / 63.0f;
}

static inline void pack_factors(const uint8_t *scales, const uint8_t *depths, uint8_t *output) {
  for (int index = 0; index < 4; index++) {
    output[index] = (uint8_t)(scales[index] | (scales[index + 4] >> 4) << 6);
    output[index + 4] = (uint8_t)(depths[index] | (depths[index + 4] >> 4) << 6);
    output[index + 8] = (uint8_t)((scales[index + 4] & 15) | (depths[index + 4] & 15) << 4);
  }
}

// Rounds 32 values by scale and depth as stored to bytes. Zero if one is out of range.
AVX2_INLINE int requantize_affine(const float *values, float scale, float depth, int largest, uint8_t *codes) {
  const __m256 s = _mm256_set1_ps(scale), d = _mm256_set1_ps(depth);
  __m256 reach = _mm256_castsi256_ps(_mm256_set1_epi32(-1));
  __m256i integers[4];
  for (int index = 0; index < 4; index++) {
    __m256 value = _mm256_div_ps(_mm256_add_ps(_mm256_loadu_ps(values + 8 * index), d), s);
    reach = _mm256_and_ps(reach, in_reach(value));
    integers[index] = _mm256_cvtps_epi32(value);
  }
  __m256i bytes = bytes_of(integers[0], integers[1], integers[2], integers[3]);
  bytes = _mm256_max_epi8(_mm256_min_epi8(bytes, _mm256_set1_epi8((char)largest)), _mm256_setzero_si256());
  _mm256_storeu_si256((__m256i *)codes, bytes);
  return every(reach);
}

// Writes d, dmin and the factors, and the codes of the block as bytes. Zero if the reference must do it.
AVX2_INLINE int encode_affine(const float *values, const float *scales, const float *depths, int largest,
                              uint8_t *output, uint8_t *codes) {
  uint8_t scale_factors[8], depth_factors[8];
  put_half(output, integers_of(scales, scale_factors));
  put_half(output + 2, integers_of(depths, depth_factors));
  pack_factors(scale_factors, depth_factors, output + 4);
  const float unit = get_half(output), depth_unit = get_half(output + 2);
  for (int part = 0; part < 8; part++, values += PART, codes += PART) {
    float scale = unit * (float)scale_factors[part];
    if (scale == 0) {
      if (scales[part] != 0) return 0;
      memset(codes, 0, PART);
    } else if (!requantize_affine(values, scale, depth_unit * (float)depth_factors[part], largest, codes)) {
      return 0;
    }
  }
  return 1;
}

// Low nibbles: 64 elements take 32 bytes.
static inline void pack_nibbles(const uint8_t *codes, uint8_t *output) {
  for (int group = 0; group < 4; group++, codes += 64, output += 32) {
    for (int index = 0; index < 32; index++) output[index] = (uint8_t)((codes[index] & 15) | codes[index + 32] << 4);
  }
}

static inline void pack_fifth_bits(const uint8_t *codes, uint8_t *output) {
  for (int index = 0; index < 32; index++) {
    uint8_t bits = 0;
    for (int part = 0; part < 8; part++) bits |= (uint8_t)((codes[PART * part + index] >> 4) << part);
    output[index] = bits;
  }
}

AVX2_INLINE size_t encode_affine_blocks(const float *values, size_t blocks, bale_affine_form form, size_t size,
                                        uint8_t *output) {
  affine_fits fits;
  uint8_t codes[ELEMENTS];
  for (size_t block = 0; block < blocks; block++, values += ELEMENTS, output += size) {
    size_t place = block % GROUP;
    size_t parts = 8 * (blocks - block < GROUP ? 1 : GROUP);
    if (place == 0 && !bale_ggml_fit_affine(values, NULL, parts, form, fits.scales, fits.depths)) return block;
    const float *scales = fits.scales + 8 * place, *depths = fits.depths + 8 * place;
    if (!encode_affine(values, scales, depths, (int)form.largest, output, codes)) return block;
    if (form.largest == 31) pack_fifth_bits(codes, output + 16);
    pack_nibbles(codes, output + size - 128);
  }
  return blocks;
}

AVX2 static size_t encode_q4_k(const float *values, size_t blocks, uint8_t *output) {
  return encode_affine_blocks(values, blocks, (bale_affine_form){32, 15, -1, 0.1f, 20, 0}, 144, output);
}

AVX2 static size_t encode_q5_k(const float *values, size_t blocks, uint8_t *output) {
  return encode_affine_blocks(values, blocks, (bale_affine_form){32, 31, -0.5f, 0.1f, 15, 0}, 176, output);
}

// ---- Q6_K: sixteen sub-blocks of 16, scale * signed code ----

#define SMALL_PART 16
#define HALF 32.0f
// A block whose scales are all below this is zero.
#define NOTHING 1e-15f

// Rounds 16 values by a scale as stored to bytes. Zero if one is out of range.
AVX2_INLINE int requantize_symmetric(const float *values, float scale, uint8_t *codes) {
  const __m256 s = _mm256_set1_ps(scale);
  __m256 low = _mm256_div_ps(_mm256_loadu_ps(values), s), high = _mm256_div_ps(_mm256_loadu_ps(values + 8), s);
  __m256i words = _mm256_packs_epi32(_mm256_cvtps_epi32(low), _mm256_cvtps_epi32(high));
  words = _mm256_permute4x64_epi64(words, 0xd8);
  words = _mm256_min_epi16(_mm256_max_epi16(words, _mm256_set1_epi16(-32)), _mm256_set1_epi16(31));
  words = _mm256_add_epi16(words, _mm256_set1_epi16(32));
  __m128i bytes = _mm_packus_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
  _mm_storeu_si128((__m128i *)codes, bytes);
  return every(_mm256_and_ps(in_reach(low), in_reach(high)));
}

static inline void pack_q6_k(const uint8_t *codes, uint8_t *output) {
  for (int half = 0; half < 2; half++, codes += 128) {
    uint8_t *low = output + 64 * half, *high = output + 128 + 32 * half;
    for (int index = 0; index < 64; index++) low[index] = (uint8_t)((codes[index] & 15) | codes[index + 64] << 4);
    for (int index = 0; index < 32; index++) {
      high[index] = (uint8_t)(codes[index] >> 4 | (codes[index + 32] >> 4) << 2 | (codes[index + 64] >> 4) << 4 |
                              (codes[index + 96] >> 4) << 6);
    }
  }
}

AVX2_INLINE int encode_block_q6_k(const float *values, uint8_t *output) {
  float scales[16], peak = 0;
  uint8_t codes[ELEMENTS];
  bale_ggml_fit_symmetric(values, NULL, HALF, scales);
  for (int part = 0; part < 16; part++) {
    peak = __builtin_fabsf(scales[part]) > __builtin_fabsf(peak) ? scales[part] : peak;
  }
  if (__builtin_fabsf(peak) < NOTHING) {
    memset(output, 0, 210);
    return 1;
  }
  const float inverse = -128.0f / peak;
  put_half(output + 208, 1 / inverse);
  const float unit = get_half(output + 208);
  for (int part = 0; part < 16; part++) {
    int32_t factor = nearest_integer(inverse * scales[part]);
    int8_t stored = (int8_t)(factor > 127 ? 127 : factor);
    output[192 + part] = (uint8_t)stored;
    float scale = unit * (float)stored;
    if (scale == 0) {
      if (scales[part] != 0) return 0;
      memset(codes + SMALL_PART * part, 0, SMALL_PART);
    } else if (!requantize_symmetric(values + SMALL_PART * part, scale, codes + SMALL_PART * part)) {
      return 0;
    }
  }
  pack_q6_k(codes, output);
  return 1;
}

AVX2 static size_t encode_q6_k(const float *values, size_t blocks, uint8_t *output) {
  for (size_t block = 0; block < blocks; block++, values += ELEMENTS, output += 210) {
    if (!encode_block_q6_k(values, output)) return block;
  }
  return blocks;
}

#endif

#define ENCODER(type)                                                                   \
  size_t bale_ggml_encode_##type(const float *values, size_t blocks, uint8_t *output) { \
    return FAST(encode_##type(values, blocks, output));                                 \
  }

ENCODER(q4_k)
ENCODER(q5_k)
ENCODER(q6_k)
