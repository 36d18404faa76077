#include "fp8.h"

#include "fp8_values.h"

INLINE void decode_from(size_t i, const float *table, float scale, const uint8_t *codes, size_t count, void *output,
                        int bf16) {
  for (; i < count; i++) store_one(output, i, table[codes[i]] * scale, bf16);
}

#if defined(__x86_64__)
AVX2_INLINE floats_16 gathered_16(const float *table, const uint8_t *codes) {
  __m128i bytes = _mm_loadu_si128((const __m128i *)codes);
  return (floats_16){_mm256_i32gather_ps(table, _mm256_cvtepu8_epi32(bytes), 4),
                     _mm256_i32gather_ps(table, _mm256_cvtepu8_epi32(_mm_srli_si128(bytes, 8)), 4)};
}

AVX2_INLINE floats_16 values_16(const float *table, enum bale_fp8 kind, const uint8_t *codes) {
  if (kind == BALE_E4M3) return e4m3_values_16(codes);
  return kind == BALE_E5M2 ? e5m2_values_16(codes) : gathered_16(table, codes);
}

AVX2_INLINE size_t decode_avx2(const float *table, enum bale_fp8 kind, float scale, const uint8_t *codes, size_t count,
                               void *output, int bf16) {
  const __m256 scales = _mm256_set1_ps(scale);
  size_t i = 0;
  for (; i + 16 <= count; i += 16) {
    floats_16 values = values_16(table, kind, codes + i);
    values.first = _mm256_mul_ps(values.first, scales), values.second = _mm256_mul_ps(values.second, scales);
    if (bf16) {
      store_bf16_16((uint16_t *)output + i, values.first, values.second);
    } else {
      store_eight(output, i, values.first, 0);
      store_eight(output, i + 8, values.second, 0);
    }
  }
  return i;
}

// With the kind as a constant.
#define DECODE(NAME, TYPE, BF16)                                                                                    \
  AVX2 static size_t NAME(const float *table, enum bale_fp8 kind, float scale, const uint8_t *codes, size_t count,  \
                          TYPE *output) {                                                                           \
    if (kind == BALE_E4M3) return decode_avx2(table, BALE_E4M3, scale, codes, count, output, BF16);                 \
    if (kind == BALE_E5M2) return decode_avx2(table, BALE_E5M2, scale, codes, count, output, BF16);                 \
    return decode_avx2(table, BALE_OTHER_FP8, scale, codes, count, output, BF16);                                   \
  }

DECODE(decode_f32_avx2, float, 0)
DECODE(decode_bf16_avx2, uint16_t, 1)

#endif

void bale_fp8_decode(const float *table, enum bale_fp8 kind, float scale, const uint8_t *codes, size_t count,
                     float *output) {
  size_t done = FAST(decode_f32_avx2(table, kind, scale, codes, count, output));
  decode_from(done, table, scale, codes, count, output, 0);
}

void bale_fp8_decode_bf16(const float *table, enum bale_fp8 kind, float scale, const uint8_t *codes, size_t count,
                          uint16_t *output) {
  size_t done = FAST(decode_bf16_avx2(table, kind, scale, codes, count, output));
  decode_from(done, table, scale, codes, count, output, 1);
}

void bale_scale_and_clip(const float *values, float inverse, float largest, size_t count, float *output) {
  for (size_t i = 0; i < count; i++) {
    float scaled = values[i] * inverse;
    scaled = scaled > largest ? largest : scaled;
    output[i] = scaled < -largest ? -largest : scaled;
  }
}
