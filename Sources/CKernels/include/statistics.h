// What quantizing cost, summed over a run of values.
#ifndef BALE_STATISTICS_H
#define BALE_STATISTICS_H

#include <stddef.h>

typedef struct {
  double squared_error;
  double squared_norm;
  double maximum_error;
} bale_error_sums;

/// Sums over `count` pairs, in eight interleaved lanes that are added in order at the end, so that every build gives
/// the same bits.
bale_error_sums bale_measure_error(const float *original, const float *decoded, size_t count);

#endif
