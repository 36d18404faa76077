#include "magnitude.h"

#include "lanes.h"

#if defined(__x86_64__)
AVX2 static size_t largest_avx2(const float *values, size_t count, uint32_t *largest) {
  const __m256i magnitudes = _mm256_set1_epi32(0x7fffffff);
  __m256i top = _mm256_setzero_si256();
  size_t i = 0;
  for (; i + 8 <= count; i += 8) {
    __m256i bits = _mm256_loadu_si256((const __m256i *)(values + i));
    top = _mm256_max_epi32(top, _mm256_and_si256(bits, magnitudes));
  }
  uint32_t lanes[8];
  _mm256_storeu_si256((__m256i *)lanes, top);
  for (int lane = 0; lane < 8; lane++) *largest = lanes[lane] > *largest ? lanes[lane] : *largest;
  return i;
}
#endif

float bale_largest_magnitude(const float *values, size_t count) {
  uint32_t largest = 0;
  size_t i = FAST(largest_avx2(values, count, &largest));
  return float_of(largest_from(i, values, count, largest));
}
