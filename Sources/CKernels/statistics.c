#include "statistics.h"

#pragma STDC FP_CONTRACT OFF

enum { LANES = 8 };

static inline bale_error_sums measure(const float *original, const float *decoded, size_t count) {
  double error[LANES] = {0}, norm[LANES] = {0};
  float maximum[LANES] = {0};
  size_t whole = count - count % LANES;
  for (size_t i = 0; i < whole; i += LANES) {
    for (int lane = 0; lane < LANES; lane++) {
      double value = original[i + lane];
      double difference = (double)decoded[i + lane] - value;
      error[lane] += difference * difference;
      norm[lane] += value * value;
      float magnitude = __builtin_fabsf((float)difference);
      maximum[lane] = magnitude > maximum[lane] ? magnitude : maximum[lane];
    }
  }
  for (size_t i = whole; i < count; i++) {
    double value = original[i];
    double difference = (double)decoded[i] - value;
    error[i - whole] += difference * difference;
    norm[i - whole] += value * value;
    float magnitude = __builtin_fabsf((float)difference);
    maximum[i - whole] = magnitude > maximum[i - whole] ? magnitude : maximum[i - whole];
  }
  bale_error_sums sums = {0, 0, 0};
  for (int lane = 0; lane < LANES; lane++) {
    sums.squared_error += error[lane];
    sums.squared_norm += norm[lane];
    if (maximum[lane] > sums.maximum_error) sums.maximum_error = maximum[lane];
  }
  return sums;
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) static bale_error_sums measure_avx2(const float *original, const float *decoded,
                                                                    size_t count) {
  return measure(original, decoded, count);
}
#endif

bale_error_sums bale_measure_error(const float *original, const float *decoded, size_t count) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2")) return measure_avx2(original, decoded, count);
#endif
  return measure(original, decoded, count);
}
