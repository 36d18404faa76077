// SpQR's dense tiles, and the loops of the solvers that choose codes and scales. See specs/codecs/spqr.md.
#ifndef BALE_SPQR_H
#define BALE_SPQR_H

#include <stddef.h>
#include <stdint.h>

// How the tiles of a tensor lie: sides in multiples of 16, and what a tile takes in the planes of codes and statistics.
typedef struct {
  size_t rows, columns;
  size_t code_bytes, statistic_bytes;
} bale_tiles;

// Decodes one row of tiles with 3-bit statistics: `height` rows (1 to `tiles->rows`) of `columns` values, row-major.
// `bits` is 2, 3 or 4. With `half`, every operation rounds to IEEE half precision.
void bale_bilevel_decode(const bale_tiles *tiles, const void *codes, const void *statistics, const void *second_level,
                         int bits, int half, size_t height, size_t columns, float *output);

// The same without vector instructions, whatever the machine: for tests.
void bale_bilevel_decode_portable(const bale_tiles *tiles, const void *codes, const void *statistics,
                                  const void *second_level, int bits, int half, size_t height, size_t columns,
                                  float *output);

// What the codes of an encoding stand for, under a scale and a zero.
enum bale_grid_kind {
  BALE_GRID_AFFINE,  // scale * (code - zero), code = round(value / scale + zero)
  BALE_GRID_BIASED,  // code * scale + zero, code = round((value - zero) / scale)
  BALE_GRID_TABLE,   // table[code] * scale, code = how many thresholds value / scale exceeds
};

typedef struct {
  enum bale_grid_kind kind;
  float lowest, highest;  // codes; 0 and 15 for a table
  float table[16];        // ascending
  float thresholds[15];   // between the values of the table
  int half;               // affine: every operation of decoding rounds to half precision
} bale_grid;

// Divides in the place of scales that are 0 or subnormal.
#define BALE_SMALLEST_SCALE 1e-37f

// 1 / scale; scales smaller than the smallest count as that.
static inline float bale_grid_reciprocal(float scale) {
  return 1 / ((scale < 0 ? -scale : scale) > BALE_SMALLEST_SCALE ? scale : BALE_SMALLEST_SCALE);
}

// The weighted squared error of `count` values under a scale and a zero. `weights` may be null.
// The sum has the fixed order of eight lanes. Divides by multiplying with the reciprocal.
float bale_grid_error(const bale_grid *grid, const float *values, const float *weights, size_t count, float scale,
                      float zero);

// The same without vector instructions, whatever the machine: for tests.
float bale_grid_error_portable(const bale_grid *grid, const float *values, const float *weights, size_t count,
                               float scale, float zero);

// The weighted squared error of each of `count` values.
void bale_grid_errors(const bale_grid *grid, const float *values, const float *weights, size_t count, float scale,
                      float zero, float *errors);

// Rows that the two functions below work on at once.
enum { BALE_TILE_LANES = 16 };

// A tile of `rows` by `columns` values, columns one after another, each with `stride` places: a multiple of
// BALE_TILE_LANES, so that there is room for whole steps; what lies past the last row is not used. `weights` has a
// weight for each column's squared error, or is null.
typedef struct {
  const float *values, *weights;
  size_t rows, columns, stride;
} bale_bilevel_rows;

// Gives each row the pair of a scale code and a zero code with the least error under an affine grid, the first at a
// tie, of those at most `reach` from the pair that it has. `scales` and `zeros` say what the `levels` codes stand for;
// scales below 0 and numbers that aren't finite are passed over. Returns the sum of the rows' errors, infinite if a row
// has no pair; it then keeps its codes.
float bale_bilevel_choose(const bale_grid *grid, const bale_bilevel_rows *tile, const float *scales,
                          const float *zeros, int levels, int reach, uint8_t *scale_codes, uint8_t *zero_codes);

// Sums for least squares over each row under its scale and zero, of which there are `stride`, with d = code - zero:
// those of weights * d * d, weights * d * value, weights, and weights * (scale * code - value), `stride` of each.
void bale_bilevel_moments(const bale_grid *grid, const bale_bilevel_rows *tile, const float *scales,
                          const float *zeros, float *sums);

// The same without vector instructions, whatever the machine: for tests.
float bale_bilevel_choose_portable(const bale_grid *grid, const bale_bilevel_rows *tile, const float *scales,
                                   const float *zeros, int levels, int reach, uint8_t *scale_codes,
                                   uint8_t *zero_codes);
void bale_bilevel_moments_portable(const bale_grid *grid, const bale_bilevel_rows *tile, const float *scales,
                                   const float *zeros, float *sums);

// Sums for least squares over the values of a group under an affine grid, with d = code - zero:
// weights * d * d, weights * d * value, weights, weights * (scale * code - value).
void bale_affine_moments(const bale_grid *grid, const float *values, const float *weights, size_t count, float scale,
                         float zero, float moments[4]);

// Rounds `count` values, each with its own scale and zero, to codes (two's complement where negative) and to what
// these decode to, by division. Scales smaller than 1e-37 divide as 1e-37; what isn't a number then takes
// code 0.
void bale_grid_round(const bale_grid *grid, const float *values, const float *scales, const float *zeros, size_t count,
                     uint8_t *codes, float *decoded);

#endif
