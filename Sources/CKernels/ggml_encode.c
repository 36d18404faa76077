// Encoders of the ggml types with one scale per 32 elements.
#include "ggml.h"

#include "kernel.h"

#if defined(__x86_64__)
#include "ggml_blocks.h"

typedef size_t blocks_encoder(const float *values, size_t blocks, uint8_t *output);

// Encodes eight blocks; zero, with nothing to be used, if they have to be taken one by one.
typedef int eight_encoder(const float *values, uint8_t *output);

AVX2_INLINE size_t encode_by_eights(const float *values, size_t blocks, size_t size, uint8_t *output,
                                    eight_encoder *eight, blocks_encoder *each) {
  size_t block = 0;
  for (; block + 8 <= blocks; block += 8) {
    if (eight(values + 32 * block, output + size * block)) continue;
    size_t done = each(values + 32 * block, 8, output + size * block);
    if (done < 8) return block + done;
  }
  return block + each(values + 32 * block, blocks - block, output + size * block);
}

AVX2_INLINE size_t encode_symmetric_each(const float *values, size_t blocks, float half, size_t size, uint8_t *output) {
  const int largest = (int)(2 * half) - 1;
  for (size_t block = 0; block < blocks; block++, values += 32, output += size) {
    block32 x = load32(values);
    float peak = peak_of(x);
    if (!regular(peak)) return block;
    float scale = peak == 0 ? -0.0f : first_with(x, peak, values) / -half;
    put_half(output, scale);
    put_codes(output + 2, codes_of(x, 0, reciprocal(scale), half + 0.5f, largest), largest);
  }
  return blocks;
}

AVX2_INLINE int encode_symmetric_8(const float *values, float half, size_t size, uint8_t *output) {
  const int largest = (int)(2 * half) - 1;
  float scales[8], inverses[8];
  uint16_t halves[8];
  if (!signed_peaks_of_8(values, scales)) return 0;
  __m256 scale = _mm256_div_ps(_mm256_loadu_ps(scales), _mm256_set1_ps(-half));
  _mm256_storeu_ps(inverses, _mm256_div_ps(_mm256_set1_ps(1), scale));
  _mm_storeu_si128((__m128i *)halves, _mm256_cvtps_ph(scale, _MM_FROUND_TO_NEAREST_INT));
  for (int block = 0; block < 8; block++, values += 32, output += size) {
    memcpy(output, halves + block, 2);
    put_codes(output + 2, codes_of(load32(values), 0, inverses[block], half + 0.5f, largest), largest);
  }
  return 1;
}

#define SYMMETRIC(TYPE, HALF, SIZE)                                                                     \
  AVX2 static size_t each_##TYPE(const float *values, size_t blocks, uint8_t *output) {                 \
    return encode_symmetric_each(values, blocks, HALF, SIZE, output);                                   \
  }                                                                                                     \
  AVX2 static int eight_##TYPE(const float *values, uint8_t *output) {                                  \
    return encode_symmetric_8(values, HALF, SIZE, output);                                              \
  }                                                                                                     \
  AVX2 static size_t encode_##TYPE(const float *values, size_t blocks, uint8_t *output) {               \
    return encode_by_eights(values, blocks, SIZE, output, eight_##TYPE, each_##TYPE);                   \
  }

SYMMETRIC(q4_0, 8, 18)
SYMMETRIC(q5_0, 16, 22)

AVX2_INLINE float highest_of(block32 x) {
  return largest_lane(_mm256_max_ps(_mm256_max_ps(x.a, x.b), _mm256_max_ps(x.c, x.d)));
}

AVX2_INLINE float lowest_of(block32 x) {
  __m256 lowest = _mm256_min_ps(_mm256_min_ps(x.a, x.b), _mm256_min_ps(x.c, x.d));
  return -largest_lane(_mm256_xor_ps(lowest, _mm256_set1_ps(-0.0f)));
}

AVX2_INLINE size_t encode_affine(const float *values, size_t blocks, int largest, size_t size, uint8_t *output) {
  for (size_t block = 0; block < blocks; block++, values += 32, output += size) {
    block32 x = load32(values);
    float low = lowest_of(x), range = highest_of(x) - low;
    // Which of two zeros comes first decides the sign of the minimum.
    if (!regular(range) || low == 0) return block;
    float scale = range / (float)largest;
    put_half(output, scale);
    put_half(output + 2, low);
    put_codes(output + 4, codes_of(x, low, reciprocal(scale), 0.5f, largest), largest);
  }
  return blocks;
}

AVX2 static size_t encode_q4_1(const float *values, size_t blocks, uint8_t *output) {
  return encode_affine(values, blocks, 15, 20, output);
}

AVX2 static size_t encode_q5_1(const float *values, size_t blocks, uint8_t *output) {
  return encode_affine(values, blocks, 31, 24, output);
}

// To nearest, ties away from zero: truncates after adding what is just below a half.
AVX2_INLINE __m256i rounded(__m256 x, __m256 inverse) {
  __m256 scaled = _mm256_mul_ps(x, inverse);
  __m256 sign = _mm256_and_ps(scaled, _mm256_set1_ps(-0.0f));
  return _mm256_cvttps_epi32(_mm256_add_ps(scaled, _mm256_or_ps(sign, _mm256_set1_ps(0x1.fffffep-2f))));
}

AVX2_INLINE __m256i codes_q8_0(block32 x, float inverse) {
  const __m256 i = _mm256_set1_ps(inverse);
  return bytes_of(rounded(x.a, i), rounded(x.b, i), rounded(x.c, i), rounded(x.d, i));
}

AVX2 static size_t each_q8_0(const float *values, size_t blocks, uint8_t *output) {
  for (size_t block = 0; block < blocks; block++, values += 32, output += 34) {
    block32 x = load32(values);
    float peak = peak_of(x);
    if (!regular(peak)) return block;
    float scale = peak / 127.0f;
    put_half(output, scale);
    _mm256_storeu_si256((__m256i *)(output + 2), codes_q8_0(x, reciprocal(scale)));
  }
  return blocks;
}

AVX2 static int eight_q8_0(const float *values, uint8_t *output) {
  float inverses[8];
  uint16_t halves[8];
  __m256 peaks = peaks_of_8(values);
  if (!all_regular(peaks)) return 0;
  __m256 scale = _mm256_div_ps(peaks, _mm256_set1_ps(127));
  _mm256_storeu_ps(inverses, _mm256_div_ps(_mm256_set1_ps(1), scale));
  _mm_storeu_si128((__m128i *)halves, _mm256_cvtps_ph(scale, _MM_FROUND_TO_NEAREST_INT));
  for (int block = 0; block < 8; block++, values += 32, output += 34) {
    memcpy(output, halves + block, 2);
    _mm256_storeu_si256((__m256i *)(output + 2), codes_q8_0(load32(values), inverses[block]));
  }
  return 1;
}

AVX2 static size_t encode_q8_0(const float *values, size_t blocks, uint8_t *output) {
  return encode_by_eights(values, blocks, 34, output, eight_q8_0, each_q8_0);
}

// Below a power of two log2f may round up, at most this many units of the last place away.
#define NEAR_POWER 44

// ceil(2 |x| / scale).
AVX2_INLINE __m256i halves(__m256 x, __m256 inverse) {
  return _mm256_cvtps_epi32(_mm256_ceil_ps(_mm256_mul_ps(magnitude(x), inverse)));
}

AVX2 static size_t encode_mxfp4(const float *values, size_t blocks, uint8_t *output) {
  // Codes of 0 to 15 halves; 15 to 20 have the last, more have 7.
  const __m256i table = _mm256_broadcastsi128_si256(_mm_setr_epi8(0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 4, 5, 5, 5, 5, 6));
  for (size_t block = 0; block < blocks; block++, values += 32, output += 17) {
    block32 x = load32(values);
    float peak = peak_of(x);
    uint32_t bits;
    memcpy(&bits, &peak, 4);
    if (!regular(peak) || (bits & 0x7fffff) >= 0x800000 - NEAR_POWER) return block;
    uint32_t byte = peak == 0 ? 0 : (bits >> 23) - 2;
    uint32_t inverse_bits = peak == 0 ? 0 : (127 + 129 - byte) << 23;
    float inverse;
    memcpy(&inverse, &inverse_bits, 4);
    __m256 factor = _mm256_set1_ps(inverse);
    __m256i twice = bytes_of(halves(x.a, factor), halves(x.b, factor), halves(x.c, factor), halves(x.d, factor));
    __m256i codes = _mm256_shuffle_epi8(table, _mm256_min_epu8(twice, _mm256_set1_epi8(15)));
    codes = _mm256_sub_epi8(codes, _mm256_cmpgt_epi8(twice, _mm256_set1_epi8(20)));
    __m256i signs = bytes_of(_mm256_castps_si256(x.a), _mm256_castps_si256(x.b), _mm256_castps_si256(x.c),
                             _mm256_castps_si256(x.d));
    __m256i negative = _mm256_and_si256(_mm256_cmpgt_epi8(_mm256_setzero_si256(), signs),
                                        _mm256_cmpgt_epi8(codes, _mm256_setzero_si256()));
    codes = _mm256_or_si256(codes, _mm256_and_si256(negative, _mm256_set1_epi8(8)));
    output[0] = (uint8_t)byte;
    _mm_storeu_si128((__m128i *)(output + 1), nibbles_of(codes));
  }
  return blocks;
}
#endif

#define ENCODER(type)                                                                   \
  size_t bale_ggml_encode_##type(const float *values, size_t blocks, uint8_t *output) { \
    return FAST(encode_##type(values, blocks, output));                                 \
  }

ENCODER(q4_0)
ENCODER(q4_1)
ENCODER(q5_0)
ENCODER(q5_1)
ENCODER(q8_0)
ENCODER(mxfp4)
