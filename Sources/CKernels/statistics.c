#include "statistics.h"

#include <stdint.h>
#include <string.h>

#pragma STDC FP_CONTRACT OFF

enum { LANES = 8 };

typedef float floats __attribute__((vector_size(LANES * sizeof(float))));
typedef int64_t integers __attribute__((vector_size(LANES * sizeof(int64_t))));
typedef double doubles __attribute__((vector_size(LANES * sizeof(double))));

// Lane by lane, the larger of `maximum` and the magnitude of `value`; a NaN counts for nothing.
#define KEEP_LARGER(maximum, value)                                             \
  do {                                                                          \
    integers magnitude = (integers)(value) & INT64_MAX;                         \
    integers above = (doubles)magnitude > (maximum);                            \
    (maximum) = (doubles)((above & magnitude) | (~above & (integers)(maximum))); \
  } while (0)

__attribute__((always_inline)) static inline bale_error_sums measure(const float *original, const float *decoded,
                                                                     size_t count) {
  doubles errors = {0}, norms = {0}, maxima = {0};
  size_t whole = count - count % LANES;
  for (size_t i = 0; i < whole; i += LANES) {
    floats before, after;
    memcpy(&before, original + i, sizeof before);
    memcpy(&after, decoded + i, sizeof after);
    doubles value = __builtin_convertvector(before, doubles);
    doubles difference = __builtin_convertvector(after, doubles) - value;
    errors += difference * difference;
    norms += value * value;
    KEEP_LARGER(maxima, difference);
  }
  double error[LANES], norm[LANES], maximum[LANES];
  memcpy(error, &errors, sizeof error);
  memcpy(norm, &norms, sizeof norm);
  memcpy(maximum, &maxima, sizeof maximum);
  for (size_t i = whole; i < count; i++) {
    double value = original[i];
    double difference = (double)decoded[i] - value;
    error[i - whole] += difference * difference;
    norm[i - whole] += value * value;
    double magnitude = __builtin_fabs(difference);
    maximum[i - whole] = magnitude > maximum[i - whole] ? magnitude : maximum[i - whole];
  }
  bale_error_sums sums = {0, 0, 0};
  for (int lane = 0; lane < LANES; lane++) {
    sums.squared_error += error[lane];
    sums.squared_norm += norm[lane];
    if (maximum[lane] > sums.maximum_error) sums.maximum_error = maximum[lane];
  }
  // Rounding keeps the order, so the largest of the rounded is the largest, rounded.
  sums.maximum_error = (float)sums.maximum_error;
  return sums;
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) static bale_error_sums measure_avx2(const float *original, const float *decoded,
                                                                    size_t count) {
  return measure(original, decoded, count);
}

__attribute__((target("avx512f"))) static bale_error_sums measure_avx512(const float *original, const float *decoded,
                                                                         size_t count) {
  return measure(original, decoded, count);
}
#endif

bale_error_sums bale_measure_error(const float *original, const float *decoded, size_t count) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f")) return measure_avx512(original, decoded, count);
  if (__builtin_cpu_supports("avx2")) return measure_avx2(original, decoded, count);
#endif
  return measure(original, decoded, count);
}
