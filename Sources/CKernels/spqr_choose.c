// Choosing scale and zero codes for the rows of a tile. Candidates lie side by side in the lanes of vectors, and the
// values of a row come one after another: every form adds the errors of a candidate in the order of the values, so that
// all give the same bits.
#include "spqr.h"

#include <math.h>

#include "lanes.h"

enum { MOST = 16 };

// Pairs of a scale and a zero that are tried at once, and their errors.
typedef struct {
  float scale[MOST], inverse[MOST], zero[MOST], error[MOST];
  uint8_t scale_code[MOST], zero_code[MOST];
  size_t count;
} candidates;

typedef void find_errors(const bale_grid *grid, const float *values, const float *weights, size_t count,
                         candidates *tried);

static void plain_errors(const bale_grid *grid, const float *values, const float *weights, size_t count,
                         candidates *tried) {
  for (size_t lane = 0; lane < tried->count; lane++) {
    float sum = 0;
    for (size_t i = 0; i < count; i++) {
      float code = rintf(values[i] * tried->inverse[lane] + tried->zero[lane]);
      code = code > grid->lowest ? code : grid->lowest;
      code = code < grid->highest ? code : grid->highest;
      float difference = tried->scale[lane] * (code - tried->zero[lane]) - values[i];
      float square = difference * difference;
      sum += weights ? square * weights[i] : square;
    }
    tried->error[lane] = sum;
  }
}

#if defined(__x86_64__)
AVX2 static void avx2_errors(const bale_grid *grid, const float *values, const float *weights, size_t count,
                             candidates *tried) {
  const __m256 lowest = _mm256_set1_ps(grid->lowest), highest = _mm256_set1_ps(grid->highest);
  for (size_t lane = 0; lane < tried->count; lane += 8) {
    const __m256 scale = _mm256_loadu_ps(tried->scale + lane), inverse = _mm256_loadu_ps(tried->inverse + lane);
    const __m256 zero = _mm256_loadu_ps(tried->zero + lane);
    __m256 sum = _mm256_setzero_ps();
    for (size_t i = 0; i < count; i++) {
      __m256 value = _mm256_set1_ps(values[i]);
      __m256 code = _mm256_add_ps(_mm256_mul_ps(value, inverse), zero);
      code = _mm256_round_ps(code, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
      code = _mm256_min_ps(_mm256_max_ps(code, lowest), highest);
      __m256 difference = _mm256_sub_ps(_mm256_mul_ps(scale, _mm256_sub_ps(code, zero)), value);
      __m256 square = _mm256_mul_ps(difference, difference);
      sum = _mm256_add_ps(sum, weights ? _mm256_mul_ps(square, _mm256_set1_ps(weights[i])) : square);
    }
    _mm256_storeu_ps(tried->error + lane, sum);
  }
}

AVX512 static void avx512_errors(const bale_grid *grid, const float *values, const float *weights, size_t count,
                                 candidates *tried) {
  const __m512 lowest = _mm512_set1_ps(grid->lowest), highest = _mm512_set1_ps(grid->highest);
  const __m512 scale = _mm512_loadu_ps(tried->scale), inverse = _mm512_loadu_ps(tried->inverse);
  const __m512 zero = _mm512_loadu_ps(tried->zero);
  __m512 sum = _mm512_setzero_ps();
  for (size_t i = 0; i < count; i++) {
    __m512 value = _mm512_set1_ps(values[i]);
    __m512 code = _mm512_add_ps(_mm512_mul_ps(value, inverse), zero);
    code = _mm512_roundscale_ps(code, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    code = _mm512_min_ps(_mm512_max_ps(code, lowest), highest);
    __m512 difference = _mm512_sub_ps(_mm512_mul_ps(scale, _mm512_sub_ps(code, zero)), value);
    __m512 square = _mm512_mul_ps(difference, difference);
    sum = _mm512_add_ps(sum, weights ? _mm512_mul_ps(square, _mm512_set1_ps(weights[i])) : square);
  }
  _mm512_storeu_ps(tried->error, sum);
}
#endif

static find_errors *fastest(void) {
#if defined(__x86_64__)
  if (has_avx512()) return avx512_errors;
  if (has_avx2()) return avx2_errors;
#endif
  return plain_errors;
}

typedef struct {
  uint8_t scale_code, zero_code;
  float error;
} choice;

// Empties `tried` into the best choice so far.
static void settle(find_errors *find, const bale_grid *grid, const float *values, const float *weights, size_t count,
                   candidates *tried, choice *best) {
  if (tried->count == 0) return;
  find(grid, values, weights, count, tried);
  for (size_t lane = 0; lane < tried->count; lane++) {
    if (tried->error[lane] < best->error) {
      *best = (choice){tried->scale_code[lane], tried->zero_code[lane], tried->error[lane]};
    }
  }
  tried->count = 0;
}

static size_t lowest_near(uint8_t code, size_t reach) { return code > reach ? code - reach : 0; }

static size_t highest_near(uint8_t code, size_t reach, size_t levels) {
  return code + reach < levels ? code + reach : levels - 1;
}

static float choose(find_errors *find, const bale_grid *grid, const bale_bilevel_rows *rows, const float *scales,
                    const float *zeros, size_t levels, size_t reach, uint8_t *scale_codes, uint8_t *zero_codes) {
  candidates tried = {0};
  float total = 0;
  for (size_t row = 0; row < rows->rows; row++) {
    const float *values = rows->values + row * rows->stride;
    choice best = {scale_codes[row], zero_codes[row], INFINITY};
    size_t last_scale = highest_near(scale_codes[row], reach, levels);
    size_t last_zero = highest_near(zero_codes[row], reach, levels);
    for (size_t s = lowest_near(scale_codes[row], reach); s <= last_scale; s++) {
      if (!(scales[s] >= 0) || isinf(scales[s])) continue;
      float inverse = bale_grid_reciprocal(scales[s]);
      for (size_t z = lowest_near(zero_codes[row], reach); z <= last_zero; z++) {
        if (!isfinite(zeros[z])) continue;
        size_t lane = tried.count++;
        tried.scale[lane] = scales[s];
        tried.inverse[lane] = inverse;
        tried.zero[lane] = zeros[z];
        tried.scale_code[lane] = (uint8_t)s;
        tried.zero_code[lane] = (uint8_t)z;
        if (tried.count == MOST) settle(find, grid, values, rows->weights, rows->columns, &tried, &best);
      }
    }
    settle(find, grid, values, rows->weights, rows->columns, &tried, &best);
    scale_codes[row] = best.scale_code;
    zero_codes[row] = best.zero_code;
    total += best.error;
  }
  return total;
}

float bale_bilevel_choose(const bale_grid *grid, const bale_bilevel_rows *rows, const float *scales,
                          const float *zeros, size_t levels, size_t reach, uint8_t *scale_codes,
                          uint8_t *zero_codes) {
  return choose(fastest(), grid, rows, scales, zeros, levels, reach, scale_codes, zero_codes);
}

float bale_bilevel_choose_portable(const bale_grid *grid, const bale_bilevel_rows *rows, const float *scales,
                                   const float *zeros, size_t levels, size_t reach, uint8_t *scale_codes,
                                   uint8_t *zero_codes) {
  return choose(plain_errors, grid, rows, scales, zeros, levels, reach, scale_codes, zero_codes);
}
