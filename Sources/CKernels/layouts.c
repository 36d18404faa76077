#include "layouts.h"

#include <string.h>

enum { TILE = 16 };

static size_t least(size_t a, size_t b) { return a < b ? a : b; }

void bale_transpose_words(const void *input, size_t input_stride, size_t rows, size_t columns, uint32_t flip,
                          void *output, size_t output_stride) {
  const uint8_t *source = input;
  uint8_t *target = output;
  for (size_t row = 0; row < rows; row += TILE) {
    size_t row_end = least(row + TILE, rows);
    for (size_t column = 0; column < columns; column += TILE) {
      size_t column_end = least(column + TILE, columns);
      for (size_t c = column; c < column_end; c++) {
        for (size_t r = row; r < row_end; r++) {
          uint32_t word;
          memcpy(&word, source + (r * input_stride + c) * 4, 4);
          word ^= flip;
          memcpy(target + (c * output_stride + r) * 4, &word, 4);
        }
      }
    }
  }
}

void bale_transpose_awq(const void *input, size_t words, size_t columns, void *output, size_t row_bytes) {
  static const unsigned nibble[8] = {0, 4, 1, 5, 2, 6, 3, 7};
  const uint8_t *source = input;
  uint8_t *target = output;
  for (size_t word = 0; word < words; word++) {
    for (size_t column = 0; column < columns; column += 8) {
      uint32_t codes[8];
      for (size_t c = 0; c < 8; c++) memcpy(&codes[c], source + ((column + c) * words + word) * 4, 4);
      for (size_t r = 0; r < 8; r++) {
        uint32_t packed = 0;
        for (size_t c = 0; c < 8; c++) packed |= (codes[c] >> 4 * nibble[r] & 15) << 4 * c;
        memcpy(target + (word * 8 + r) * row_bytes + column / 2, &packed, 4);
      }
    }
  }
}
