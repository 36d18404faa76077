// The error of a group under a candidate quantizer: the inner loop of every search of scales.
#include "spqr.h"

#include <math.h>

#pragma STDC FP_CONTRACT OFF

enum { LANES = 8 };

static const float SMALLEST_SCALE = 1e-9f;

static float error_of(float value, float weight, float scale, float inverse, float zero, float levels) {
  float position = rintf(value * inverse + zero);
  position = position > 0 ? position : 0;
  position = position < levels ? position : levels;
  float difference = scale * (position - zero) - value;
  return difference * difference * weight;
}

static float pairwise(const float lane[LANES]) {
  float low = (lane[0] + lane[4]) + (lane[2] + lane[6]), high = (lane[1] + lane[5]) + (lane[3] + lane[7]);
  return low + high;
}

static void portable_error(const float *values, const float *weights, size_t count, float scale, float inverse,
                           float zero, float levels, float lane[LANES]) {
  for (size_t i = 0; i < count; i++) {
    lane[i % LANES] += error_of(values[i], weights ? weights[i] : 1, scale, inverse, zero, levels);
  }
}

#if defined(__x86_64__)
#include <immintrin.h>

__attribute__((target("avx2"))) static void avx2_error(const float *values, const float *weights, size_t count,
                                                       float scale, float inverse, float zero, float levels,
                                                       float lane[LANES]) {
  __m256 sum = _mm256_loadu_ps(lane), inverses = _mm256_set1_ps(inverse), zeros = _mm256_set1_ps(zero);
  __m256 tops = _mm256_set1_ps(levels), scales = _mm256_set1_ps(scale);
  for (size_t i = 0; i < count; i += LANES) {
    __m256 value = _mm256_loadu_ps(values + i);
    __m256 position = _mm256_add_ps(_mm256_mul_ps(value, inverses), zeros);
    position = _mm256_round_ps(position, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    position = _mm256_min_ps(_mm256_max_ps(position, _mm256_setzero_ps()), tops);
    __m256 difference = _mm256_sub_ps(_mm256_mul_ps(scales, _mm256_sub_ps(position, zeros)), value);
    __m256 square = _mm256_mul_ps(difference, difference);
    sum = _mm256_add_ps(sum, weights ? _mm256_mul_ps(square, _mm256_loadu_ps(weights + i)) : square);
  }
  _mm256_storeu_ps(lane, sum);
}
#endif

float bale_affine_error(const float *values, const float *weights, size_t count, float scale, float zero,
                        float levels) {
  float lane[LANES] = {0};
  float inverse = 1 / (scale > SMALLEST_SCALE ? scale : SMALLEST_SCALE);
  size_t whole = 0;
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2")) {
    whole = count - count % LANES;
    avx2_error(values, weights, whole, scale, inverse, zero, levels, lane);
  }
#endif
  portable_error(values + whole, weights ? weights + whole : 0, count - whole, scale, inverse, zero, levels, lane);
  return pairwise(lane);
}
