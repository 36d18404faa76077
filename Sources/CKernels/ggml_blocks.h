// Blocks of 32 values: their extremes, and codes of them, for one block or for eight that follow one another.
#ifndef BALE_GGML_BLOCKS_H
#define BALE_GGML_BLOCKS_H

#include "ggml_avx2.h"

// Reciprocals of scales stay finite and normal between these magnitudes.
#define SMALLEST 0x1p-100f
#define LARGEST 0x1p+120f

typedef struct {
  __m256 a, b, c, d;
} block32;

AVX2_INLINE block32 load32(const float *values) {
  return (block32){_mm256_loadu_ps(values), _mm256_loadu_ps(values + 8), _mm256_loadu_ps(values + 16),
                   _mm256_loadu_ps(values + 24)};
}

AVX2_INLINE float peak_of(block32 x) {
  return largest_lane(_mm256_max_ps(_mm256_max_ps(magnitude(x.a), magnitude(x.b)),
                                    _mm256_max_ps(magnitude(x.c), magnitude(x.d))));
}

static inline int regular(float peak) { return peak == 0 || (peak >= SMALLEST && peak <= LARGEST); }

// Which of eight elements have the magnitude.
AVX2_INLINE uint32_t where(__m256 x, __m256 peak) {
  return (uint32_t)_mm256_movemask_ps(_mm256_cmp_ps(magnitude(x), peak, _CMP_EQ_OQ));
}

AVX2_INLINE float first_with(block32 x, float peak, const float *values) {
  __m256 p = _mm256_set1_ps(peak);
  uint32_t found = where(x.a, p) | where(x.b, p) << 8 | where(x.c, p) << 16 | where(x.d, p) << 24;
  return values[__builtin_ctz(found)];
}

AVX2_INLINE float reciprocal(float scale) { return scale != 0 ? 1.0f / scale : 0; }

// trunc((x - origin) * inverse + shift) of eight elements.
AVX2_INLINE __m256i truncated(__m256 x, __m256 origin, __m256 inverse, __m256 shift) {
  return _mm256_cvttps_epi32(_mm256_add_ps(_mm256_mul_ps(_mm256_sub_ps(x, origin), inverse), shift));
}

// 32 codes of at most `largest`.
AVX2_INLINE __m256i codes_of(block32 x, float origin, float inverse, float shift, int largest) {
  const __m256 o = _mm256_set1_ps(origin), i = _mm256_set1_ps(inverse), s = _mm256_set1_ps(shift);
  __m256i codes = bytes_of(truncated(x.a, o, i, s), truncated(x.b, o, i, s), truncated(x.c, o, i, s),
                           truncated(x.d, o, i, s));
  return _mm256_min_epi8(codes, _mm256_set1_epi8((char)largest));
}

// Nibbles, and before them bit 4 of each code if there is one.
AVX2_INLINE void put_codes(uint8_t *output, __m256i codes, int largest) {
  if (largest == 31) {
    uint32_t fifths = (uint32_t)_mm256_movemask_epi8(_mm256_slli_epi16(codes, 3));
    memcpy(output, &fifths, 4);
    output += 4;
  }
  codes = _mm256_and_si256(codes, _mm256_set1_epi8(15));
  _mm_storeu_si128((__m128i *)output, nibbles_of(codes));
}

// ---- Eight blocks, one a lane ----

// The largest of the lanes of each register.
AVX2_INLINE __m256 largest_of_8(const __m256 rows[8]) {
  __m256 pairs[4], fours[2];
  for (int k = 0; k < 4; k++) {
    pairs[k] = _mm256_max_ps(_mm256_unpacklo_ps(rows[2 * k], rows[2 * k + 1]),
                             _mm256_unpackhi_ps(rows[2 * k], rows[2 * k + 1]));
  }
  for (int k = 0; k < 2; k++) {
    fours[k] = _mm256_max_ps(_mm256_shuffle_ps(pairs[2 * k], pairs[2 * k + 1], 0x44),
                             _mm256_shuffle_ps(pairs[2 * k], pairs[2 * k + 1], 0xee));
  }
  return _mm256_max_ps(_mm256_permute2f128_ps(fours[0], fours[1], 0x20),
                       _mm256_permute2f128_ps(fours[0], fours[1], 0x31));
}

// True if no peak is 0 or beyond what `regular` allows.
AVX2_INLINE int all_regular(__m256 peaks) {
  __m256 within = _mm256_and_ps(_mm256_cmp_ps(peaks, _mm256_set1_ps(SMALLEST), _CMP_GE_OQ),
                                _mm256_cmp_ps(peaks, _mm256_set1_ps(LARGEST), _CMP_LE_OQ));
  return _mm256_movemask_ps(within) == 0xff;
}

AVX2_INLINE __m256 peaks_of_8(const float *values) {
  __m256 rows[8];
  for (int block = 0; block < 8; block++) {
    block32 x = load32(values + 32 * block);
    rows[block] = _mm256_max_ps(_mm256_max_ps(magnitude(x.a), magnitude(x.b)),
                                _mm256_max_ps(magnitude(x.c), magnitude(x.d)));
  }
  return largest_of_8(rows);
}

// The first value of largest magnitude of each block. Zero if a peak isn't regular.
AVX2_INLINE int signed_peaks_of_8(const float *values, float *peaks) {
  const __m256 sign = _mm256_set1_ps(-0.0f);
  __m256 highs[8], depths[8];
  for (int block = 0; block < 8; block++) {
    block32 x = load32(values + 32 * block);
    highs[block] = _mm256_max_ps(_mm256_max_ps(x.a, x.b), _mm256_max_ps(x.c, x.d));
    __m256 low = _mm256_min_ps(_mm256_min_ps(x.a, x.b), _mm256_min_ps(x.c, x.d));
    depths[block] = _mm256_xor_ps(low, sign);
  }
  const __m256 high = largest_of_8(highs), depth = largest_of_8(depths);
  if (!all_regular(_mm256_max_ps(high, depth))) return 0;
  const __m256 above = _mm256_cmp_ps(high, depth, _CMP_GT_OQ);
  _mm256_storeu_ps(peaks, _mm256_blendv_ps(_mm256_xor_ps(depth, sign), high, above));
  // Where both signs reach the peak, the first one counts.
  unsigned ties = (unsigned)_mm256_movemask_ps(_mm256_cmp_ps(high, depth, _CMP_EQ_OQ));
  for (; ties; ties &= ties - 1) {
    const int block = __builtin_ctz(ties);
    peaks[block] = first_with(load32(values + 32 * block), -peaks[block], values + 32 * block);
  }
  return 1;
}

#endif
