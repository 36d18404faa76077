// Decoders of the ggml types that most models use.
#include "ggml.h"

#include "kernel.h"

#if defined(__x86_64__)
#include "ggml_avx2.h"

// Eight signed bytes, the low ones of `bytes`, times a scale.
AVX2_INLINE __m256 eight(__m128i bytes, __m256 scale) {
  return _mm256_mul_ps(_mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(bytes)), scale);
}

AVX2_INLINE void store16(__m128i bytes, __m256 scale, float *values) {
  _mm256_storeu_ps(values, eight(bytes, scale));
  _mm256_storeu_ps(values + 8, eight(_mm_srli_si128(bytes, 8), scale));
}

// The same less an offset.
AVX2_INLINE void store16_less(__m128i bytes, __m256 scale, __m256 offset, float *values) {
  _mm256_storeu_ps(values, _mm256_sub_ps(eight(bytes, scale), offset));
  _mm256_storeu_ps(values + 8, _mm256_sub_ps(eight(_mm_srli_si128(bytes, 8), scale), offset));
}

AVX2_INLINE __m128i load16(const uint8_t *bytes) { return _mm_loadu_si128((const __m128i *)bytes); }

AVX2_INLINE __m128i low_nibbles(__m128i bytes) { return _mm_and_si128(bytes, _mm_set1_epi8(15)); }

AVX2_INLINE __m128i high_nibbles(__m128i bytes) { return low_nibbles(_mm_srli_epi16(bytes, 4)); }

AVX2 static size_t decode_q4_0(const uint8_t *input, size_t blocks, float *values) {
  const __m128i eights = _mm_set1_epi8(8);
  for (size_t block = 0; block < blocks; block++, input += 18, values += 32) {
    __m256 scale = _mm256_set1_ps(get_half(input));
    __m128i bytes = load16(input + 2);
    store16(_mm_sub_epi8(low_nibbles(bytes), eights), scale, values);
    store16(_mm_sub_epi8(high_nibbles(bytes), eights), scale, values + 16);
  }
  return blocks;
}

AVX2 static size_t decode_q8_0(const uint8_t *input, size_t blocks, float *values) {
  for (size_t block = 0; block < blocks; block++, input += 34, values += 32) {
    __m256 scale = _mm256_set1_ps(get_half(input));
    store16(load16(input + 2), scale, values);
    store16(load16(input + 18), scale, values + 16);
  }
  return blocks;
}

AVX2 static size_t decode_mxfp4(const uint8_t *input, size_t blocks, float *values) {
  const __m128i table = _mm_setr_epi8(0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12);
  for (size_t block = 0; block < blocks; block++, input += 17, values += 32) {
    // 2^(byte - 128): below 2 it is subnormal.
    uint32_t bits = input[0] < 2 ? 0x00200000u << input[0] : (uint32_t)(input[0] - 1) << 23;
    __m256 scale = _mm256_castsi256_ps(_mm256_set1_epi32((int)bits));
    __m128i bytes = load16(input + 1);
    store16(_mm_shuffle_epi8(table, low_nibbles(bytes)), scale, values);
    store16(_mm_shuffle_epi8(table, high_nibbles(bytes)), scale, values + 16);
  }
  return blocks;
}

// Scale and depth of one of the eight sub-blocks, from the twelve bytes of 6-bit factors.
static inline void factors_of(const uint8_t *packed, int part, uint8_t *scale, uint8_t *depth) {
  if (part < 4) {
    *scale = packed[part] & 63;
    *depth = packed[part + 4] & 63;
  } else {
    *scale = (uint8_t)((packed[part + 4] & 15) | (packed[part - 4] >> 6) << 4);
    *depth = (uint8_t)(packed[part + 4] >> 4 | (packed[part] >> 6) << 4);
  }
}

typedef struct {
  __m256 scale, depth;
} affine_part;

AVX2_INLINE affine_part part_of(const uint8_t *input, float unit, float depth_unit, int part) {
  uint8_t scale, depth;
  factors_of(input + 4, part, &scale, &depth);
  return (affine_part){_mm256_set1_ps(unit * (float)scale), _mm256_set1_ps(depth_unit * (float)depth)};
}

AVX2 static size_t decode_q4_k(const uint8_t *input, size_t blocks, float *values) {
  for (size_t block = 0; block < blocks; block++, input += 144) {
    const float unit = get_half(input), depth_unit = get_half(input + 2);
    for (int group = 0; group < 4; group++, values += 64) {
      affine_part first = part_of(input, unit, depth_unit, 2 * group);
      affine_part second = part_of(input, unit, depth_unit, 2 * group + 1);
      for (int half = 0; half < 32; half += 16) {
        __m128i bytes = load16(input + 16 + 32 * group + half);
        store16_less(low_nibbles(bytes), first.scale, first.depth, values + half);
        store16_less(high_nibbles(bytes), second.scale, second.depth, values + 32 + half);
      }
    }
  }
  return blocks;
}

// 16 where bit `part` of a byte is set.
AVX2_INLINE __m128i fifth_bits(__m128i bytes, int part) {
  __m128i bit = _mm_set1_epi8((char)(1 << part));
  return _mm_and_si128(_mm_cmpeq_epi8(_mm_and_si128(bytes, bit), bit), _mm_set1_epi8(16));
}

AVX2 static size_t decode_q5_k(const uint8_t *input, size_t blocks, float *values) {
  for (size_t block = 0; block < blocks; block++, input += 176) {
    const float unit = get_half(input), depth_unit = get_half(input + 2);
    for (int group = 0; group < 4; group++, values += 64) {
      affine_part first = part_of(input, unit, depth_unit, 2 * group);
      affine_part second = part_of(input, unit, depth_unit, 2 * group + 1);
      for (int half = 0; half < 32; half += 16) {
        __m128i bytes = load16(input + 48 + 32 * group + half), high = load16(input + 16 + half);
        __m128i low = _mm_or_si128(low_nibbles(bytes), fifth_bits(high, 2 * group));
        store16_less(low, first.scale, first.depth, values + half);
        low = _mm_or_si128(high_nibbles(bytes), fifth_bits(high, 2 * group + 1));
        store16_less(low, second.scale, second.depth, values + 32 + half);
      }
    }
  }
  return blocks;
}

AVX2 static size_t decode_q6_k(const uint8_t *input, size_t blocks, float *values) {
  const __m128i offset = _mm_set1_epi8(32);
  for (size_t block = 0; block < blocks; block++, input += 210, values += 256) {
    const float unit = get_half(input + 208);
    for (int part = 0; part < 16; part++) {
      const int half = part / 8, place = part % 8;
      __m128i low = load16(input + 64 * half + 16 * (place % 4));
      low = place < 4 ? low_nibbles(low) : high_nibbles(low);
      __m128i high = _mm_srl_epi16(load16(input + 128 + 32 * half + 16 * (place % 2)), _mm_cvtsi32_si128(place / 2 * 2));
      high = _mm_slli_epi16(_mm_and_si128(high, _mm_set1_epi8(3)), 4);
      __m256 scale = _mm256_set1_ps(unit * (float)(int8_t)input[192 + part]);
      store16(_mm_sub_epi8(_mm_or_si128(low, high), offset), scale, values + 16 * part);
    }
  }
  return blocks;
}

AVX2 static size_t decode_tq2_0(const uint8_t *input, size_t blocks, float *values) {
  const __m128i one = _mm_set1_epi8(1), three = _mm_set1_epi8(3);
  for (size_t block = 0; block < blocks; block++, input += 66, values += 256) {
    __m256 scale = _mm256_set1_ps(get_half(input + 64));
    for (int part = 0; part < 16; part++) {
      __m128i bytes = load16(input + 32 * (part / 8) + 16 * (part % 2));
      bytes = _mm_and_si128(_mm_srl_epi16(bytes, _mm_cvtsi32_si128(part % 8 / 2 * 2)), three);
      store16(_mm_sub_epi8(bytes, one), scale, values + 16 * part);
    }
  }
  return blocks;
}

// The digit on top of sixteen bytes, less one: byte * 3 / 256.
AVX2_INLINE __m128i trits(__m128i bytes) {
  __m256i wide = _mm256_cvtepu8_epi16(bytes);
  __m256i digits = _mm256_srli_epi16(_mm256_add_epi16(wide, _mm256_slli_epi16(wide, 1)), 8);
  digits = _mm256_permute4x64_epi64(_mm256_packus_epi16(digits, digits), 0xd8);
  return _mm_sub_epi8(_mm256_castsi256_si128(digits), _mm_set1_epi8(1));
}

AVX2_INLINE __m128i tripled(__m128i bytes) { return _mm_add_epi8(bytes, _mm_add_epi8(bytes, bytes)); }

// Sixteen bytes of five digits each, a digit every `stride` elements.
AVX2_INLINE void store_digits(__m128i bytes, __m256 scale, float *values, int stride) {
  for (int digit = 0; digit < 5; digit++) {
    store16(trits(bytes), scale, values + stride * digit);
    bytes = tripled(bytes);
  }
}

AVX2 static size_t decode_tq1_0(const uint8_t *input, size_t blocks, float *values) {
  for (size_t block = 0; block < blocks; block++, input += 54, values += 256) {
    __m256 scale = _mm256_set1_ps(get_half(input + 52));
    store_digits(load16(input), scale, values, 32);
    store_digits(load16(input + 16), scale, values + 16, 32);
    store_digits(load16(input + 32), scale, values + 160, 16);
    uint32_t last;
    memcpy(&last, input + 48, 4);
    // Four bytes of four digits: side by side, multiplied by 1, 3, 9 and 27.
    __m128i bytes = _mm_set1_epi32((int)last), once = tripled(bytes), twice = tripled(once);
    bytes = _mm_blend_epi32(bytes, once, 2);
    bytes = _mm_blend_epi32(_mm_blend_epi32(bytes, twice, 4), tripled(twice), 8);
    store16(trits(bytes), scale, values + 240);
  }
  return blocks;
}

#endif

#define DECODER(type)                                                                  \
  size_t bale_ggml_decode_##type(const uint8_t *input, size_t blocks, float *values) { \
    return FAST(decode_##type(input, blocks, values));                                 \
  }

DECODER(q4_0)
DECODER(q8_0)
DECODER(mxfp4)
DECODER(q4_k)
DECODER(q5_k)
DECODER(q6_k)
DECODER(tq1_0)
DECODER(tq2_0)
