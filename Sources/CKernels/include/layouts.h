// Words of other libraries' layouts in another order: specs/layouts.md. References: Sources/Layouts/Arrangement.
#ifndef BALE_LAYOUTS_H
#define BALE_LAYOUTS_H

#include <stddef.h>
#include <stdint.h>

// output[c * output_stride + r] = input[r * input_stride + c] ^ flip, for rows x columns 32-bit words.
void bale_transpose_words(const void *input, size_t input_stride, size_t rows, size_t columns, uint32_t flip,
                          void *output, size_t output_stride);

// AWQ's words: `input` has for each of `columns` inputs `words` words of eight 4-bit codes, those of outputs 0, 2, 4, 6,
// 1, 3, 5, 7. `output` gets a row of codes for each output, low nibble first, `row_bytes` apart. `columns` is a
// multiple of 8.
void bale_transpose_awq(const void *input, size_t words, size_t columns, void *output, size_t row_bytes);

#endif
