// Choosing the scale and zero codes of the rows of a tile, and the sums that its second-level statistics are solved
// from. Rows lie side by side, sixteen to a step, and the sum of a row runs over its columns in order. One source serves
// every machine; the compiler turns its loops over lanes into vectors where there are such instructions, and the bits
// are the same.
#include "spqr.h"

#include <math.h>

#include "lanes.h"

enum { LANES = BALE_TILE_LANES };

INLINE float clamped(const bale_grid *grid, float position) {
  float code = rintf(position);
  code = code > grid->lowest ? code : grid->lowest;
  return code < grid->highest ? code : grid->highest;
}

// The squared errors of LANES rows, each under its scale and zero.
INLINE void add_errors(const bale_grid *grid, const bale_bilevel_rows *tile, size_t top, const float *scale,
                       const float *inverse, const float *zero, float *sums) {
  for (size_t column = 0; column < tile->columns; column++) {
    const float *values = tile->values + column * tile->stride + top;
    float weight = tile->weights ? tile->weights[column] : 1;
    for (int i = 0; i < LANES; i++) {
      float code = clamped(grid, values[i] * inverse[i] + zero[i]);
      float difference = scale[i] * (code - zero[i]) - values[i];
      sums[i] += difference * difference * weight;
    }
  }
}

// What `codes` moved by `step` stand for; not a number where there is no such code, or none that may be used.
INLINE void look_up(const float *table, int levels, const int *codes, int step, float lowest, float *found) {
  for (int i = 0; i < LANES; i++) {
    int code = codes[i] + step;
    float value = code >= 0 && code < levels ? table[code] : NAN;
    found[i] = value >= lowest && value < INFINITY ? value : NAN;
  }
}

INLINE float choose(const bale_grid *grid, const bale_bilevel_rows *tile, const float *scales, const float *zeros,
                    int levels, int reach, uint8_t *scale_codes, uint8_t *zero_codes) {
  float total = 0;
  for (size_t top = 0; top < tile->rows; top += LANES) {
    size_t height = tile->rows - top < LANES ? tile->rows - top : LANES;
    int s[LANES] = {0}, z[LANES] = {0}, best_s[LANES], best_z[LANES];
    float best[LANES], scale[LANES], inverse[LANES], zero[LANES];
    for (size_t i = 0; i < height; i++) {
      s[i] = scale_codes[top + i];
      z[i] = zero_codes[top + i];
    }
    for (int i = 0; i < LANES; i++) {
      best[i] = INFINITY;
      best_s[i] = s[i];
      best_z[i] = z[i];
    }
    for (int scale_step = -reach; scale_step <= reach; scale_step++) {
      look_up(scales, levels, s, scale_step, 0, scale);
      for (int i = 0; i < LANES; i++) inverse[i] = bale_grid_reciprocal(scale[i]);
      for (int zero_step = -reach; zero_step <= reach; zero_step++) {
        look_up(zeros, levels, z, zero_step, -INFINITY, zero);
        float sums[LANES] = {0};
        add_errors(grid, tile, top, scale, inverse, zero, sums);
        for (int i = 0; i < LANES; i++) {
          int better = sums[i] < best[i];
          best[i] = better ? sums[i] : best[i];
          best_s[i] = better ? s[i] + scale_step : best_s[i];
          best_z[i] = better ? z[i] + zero_step : best_z[i];
        }
      }
    }
    for (size_t i = 0; i < height; i++) {
      scale_codes[top + i] = (uint8_t)best_s[i];
      zero_codes[top + i] = (uint8_t)best_z[i];
      total += best[i];
    }
  }
  return total;
}

INLINE void moments(const bale_grid *grid, const bale_bilevel_rows *tile, const float *scales, const float *zeros,
                    float *sums) {
  for (size_t top = 0; top < tile->rows; top += LANES) {
    const float *scale = scales + top, *zero = zeros + top;
    float inverse[LANES], found[4][LANES] = {{0}};
    for (int i = 0; i < LANES; i++) inverse[i] = bale_grid_reciprocal(scale[i]);
    for (size_t column = 0; column < tile->columns; column++) {
      const float *values = tile->values + column * tile->stride + top;
      float weight = tile->weights ? tile->weights[column] : 1;
      for (int i = 0; i < LANES; i++) {
        float code = clamped(grid, values[i] * inverse[i] + zero[i]), distance = code - zero[i];
        float weighted = weight * distance;
        found[0][i] += weighted * distance;
        found[1][i] += weighted * values[i];
        found[2][i] += weight;
        found[3][i] += weight * (scale[i] * code - values[i]);
      }
    }
    for (int sum = 0; sum < 4; sum++) memcpy(sums + (size_t)sum * tile->stride + top, found[sum], sizeof found[sum]);
  }
}

float bale_bilevel_choose_portable(const bale_grid *grid, const bale_bilevel_rows *tile, const float *scales,
                                   const float *zeros, int levels, int reach, uint8_t *scale_codes,
                                   uint8_t *zero_codes) {
  return choose(grid, tile, scales, zeros, levels, reach, scale_codes, zero_codes);
}

void bale_bilevel_moments_portable(const bale_grid *grid, const bale_bilevel_rows *tile, const float *scales,
                                   const float *zeros, float *sums) {
  moments(grid, tile, scales, zeros, sums);
}

#if defined(__x86_64__)
#define VECTOR_FORMS(TARGET, name)                                                                                  \
  TARGET static float choose_##name(const bale_grid *grid, const bale_bilevel_rows *tile, const float *scales,      \
                                    const float *zeros, int levels, int reach, uint8_t *scale_codes,                \
                                    uint8_t *zero_codes) {                                                         \
    return choose(grid, tile, scales, zeros, levels, reach, scale_codes, zero_codes);                               \
  }                                                                                                                 \
  TARGET static void moments_##name(const bale_grid *grid, const bale_bilevel_rows *tile, const float *scales,      \
                                    const float *zeros, float *sums) {                                             \
    moments(grid, tile, scales, zeros, sums);                                                                       \
  }
VECTOR_FORMS(AVX2, avx2)
VECTOR_FORMS(AVX512, avx512)
#define FASTEST(name) (has_avx512() ? name##_avx512 : has_avx2() ? name##_avx2 : bale_bilevel_##name##_portable)
#else
#define FASTEST(name) bale_bilevel_##name##_portable
#endif

float bale_bilevel_choose(const bale_grid *grid, const bale_bilevel_rows *tile, const float *scales,
                          const float *zeros, int levels, int reach, uint8_t *scale_codes, uint8_t *zero_codes) {
  return FASTEST(choose)(grid, tile, scales, zeros, levels, reach, scale_codes, zero_codes);
}

void bale_bilevel_moments(const bale_grid *grid, const bale_bilevel_rows *tile, const float *scales,
                          const float *zeros, float *sums) {
  FASTEST(moments)(grid, tile, scales, zeros, sums);
}
