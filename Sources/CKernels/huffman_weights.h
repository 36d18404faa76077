#ifndef BALE_HUFFMAN_WEIGHTS_H
#define BALE_HUFFMAN_WEIGHTS_H

#include <stddef.h>
#include <stdint.h>

// Writes the weights of a Huffman table, each at most 11, compressed. Returns the bytes, at most 128, or 0 if they don't
// suit it: fewer than three, or all the same.
size_t bale_write_weights(const uint8_t *weights, int count, uint8_t *out);

#endif
