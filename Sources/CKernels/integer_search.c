#include "elements.h"
#include "integer.h"
#include "lanes.h"

static float nearest_f16(float value) {
  uint16_t half;
  bale_f32_to_f16(&value, &half, 1);
  bale_f16_to_f32(&half, &value, 1);
  return value;
}

INLINE float nearest(float value, enum bale_scalar type) {
  if (type == BALE_F32) return value;
  return type == BALE_F16 ? nearest_f16(value) : float_of((uint32_t)nearest_bf16(value) << 16);
}

// The nearest scale that can be stored, not 0; F32 keeps 16 bits of significand. Infinite if it overflows.
INLINE float storable(float scale, enum bale_scalar type) {
  if (type == BALE_F16) {
    float rounded = nearest_f16(scale);
    return rounded > 0x1p-24f ? rounded : 0x1p-24f;
  }
  uint32_t bits = bits_of(scale);
  float rounded = type == BALE_BF16 ? nearest(scale, type) : float_of((bits + 0x7f + (bits >> 8 & 1)) & ~0xffu);
  return rounded > 0x1p-126f ? rounded : 0x1p-126f;
}

INLINE float or_zero_below(float value) { return value < 0 ? value : 0; }
INLINE float or_zero_above(float value) { return value > 0 ? value : 0; }

// The terms of a divisor. Returns 0 if they overflow, or if the codes of the extremes are nearer than the smallest
// divisor, from which the scale would not be found again.
static int candidate(float low, float high, float divisor, const bale_group_grid *grid, bale_group_terms *terms) {
  double width = (double)high - (double)low;
  if (grid->zero == BALE_SYMMETRIC) width = -low > high ? -low : high;
  if (grid->zero == BALE_ZERO_POINT) width = (double)or_zero_above(high) - (double)or_zero_below(low);
  float scale = storable((float)(width / (double)divisor), grid->scale);
  if (!__builtin_isfinite(scale)) return 0;
  *terms = (bale_group_terms){scale, 1 / scale, 0, 0, grid->lowest, grid->highest};
  if (grid->zero == BALE_ZERO_POINT) {
    float bottom = __builtin_rintf(or_zero_below(low) * terms->inverse);
    float top = __builtin_rintf(or_zero_above(high) * terms->inverse);
    terms->zero = -bottom < grid->highest ? -bottom + 0 : grid->highest;
    return top - bottom >= grid->first;
  }
  if (grid->zero == BALE_BIAS) {
    double middle = ((double)low + (double)high) / 2;
    terms->bias = nearest((float)(middle - (double)grid->highest * (double)scale / 2), grid->bias);
  }
  return __builtin_isfinite(terms->bias);
}

typedef struct {
  float error, divisor;
  bale_group_terms terms;
} found;

static void attempt(const float *values, size_t count, float low, float high, float divisor,
                    const bale_group_grid *grid, found *best) {
  bale_group_terms terms;
  if (divisor < grid->first || !candidate(low, high, divisor, grid, &terms)) return;
  float error = bale_group_error(values, count, terms);
  if (error < best->error) *best = (found){error, divisor, terms};
}

int bale_group_search(const float *values, size_t count, float low, float high, bale_group_grid grid,
                      bale_group_terms *terms) {
  found best = {__builtin_inff(), 0, {0, 0, 0, 0, 0, 0}};
  for (float divisor = grid.first; divisor <= grid.last; divisor += grid.step) {
    attempt(values, count, low, high, divisor, &grid, &best);
  }
  float coarse = best.divisor;
  attempt(values, count, low, high, coarse - grid.step / 2, &grid, &best);
  attempt(values, count, low, high, coarse + grid.step / 2, &grid, &best);
  *terms = best.terms;
  return best.error < __builtin_inff();
}
