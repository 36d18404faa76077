// Integer codes with a scale a group: specs/codecs/integer.md. References: Sources/Codecs/Integer.
#ifndef BALE_INTEGER_H
#define BALE_INTEGER_H

#include <stddef.h>
#include <stdint.h>

enum bale_scalar { BALE_F16, BALE_BF16, BALE_F32, BALE_BYTE };
enum bale_zero { BALE_SYMMETRIC, BALE_ZERO_POINT, BALE_BIAS };

// How one row is stored.
typedef struct {
  uint32_t bits;             // 2, 3, 4, 5, 6 or 8
  enum bale_zero zero;
  enum bale_scalar scale;    // BALE_BYTE: a second level of step and offset, F32, for each superblock
  enum bale_scalar bias;     // type of the biases
  size_t group;
  size_t superblock;         // groups
  const void *codes;
  const void *scales;
  const void *zeros;         // zero points in bytes, or biases
  const void *second;
} bale_integer_row;

// Decodes `count` elements. Returns 0, its output to be thrown away, if a scale or a bias is not finite.
int bale_integer_decode(const bale_integer_row *row, size_t count, float *output);
int bale_integer_decode_bf16(const bale_integer_row *row, size_t count, uint16_t *output);

// What turns the values of a group into codes: (value - bias) * inverse, rounded, plus zero, clipped.
typedef struct {
  float scale, inverse, zero, bias;
  float lowest, highest;  // codes
} bale_group_terms;

// The smallest and the largest value. Returns 0 if one is not finite.
int bale_group_extremes(const float *values, size_t count, float *low, float *high);

// How terms are searched: divisors from first to last, then half a step around the best.
typedef struct {
  enum bale_zero zero;
  enum bale_scalar scale, bias;
  float lowest, highest;  // codes
  float first, last, step;
} bale_group_grid;

// The terms with the least squared error for a group whose values lie between `low` and `high`, which are not both 0
// (for a bias: not equal). Returns 0 if no divisor gives a finite error.
int bale_group_search(const float *values, size_t count, float low, float high, bale_group_grid grid,
                      bale_group_terms *best);

// The nearest codes, one a byte, negative ones in two's complement.
void bale_group_codes(const float *values, size_t count, bale_group_terms terms, uint8_t *codes);

// Packs codes into a little-endian stream.
void bale_pack_codes(const uint8_t *codes, size_t count, unsigned bits, uint8_t *output);

#endif
