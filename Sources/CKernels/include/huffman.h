#ifndef BALE_HUFFMAN_H
#define BALE_HUFFMAN_H

#include <stddef.h>
#include <stdint.h>

// Writes one zstd frame (RFC 8878) of Huffman-coded literals without sequences: an ordinary frame, made faster than
// libzstd makes it. Reference: Sources/Compression/HuffmanFrame.swift.
// Returns the size of the frame, or 0 if `capacity` is too small, or if the bytes don't suit it: fewer than 1024 or at
// least 2^31, a block of one value alone, or a value above 128, whose table would have to be compressed.
// A block of 128 KiB needs `count * 11 / 8` bytes while it is made: give it twice `count` and 256 bytes, and a workspace
// of BALE_HUFFMAN_WORKSPACE bytes for tables of pairs, aligned for 64-bit numbers.
size_t bale_huffman_frame(const void *source, size_t count, void *target, size_t capacity, void *workspace);

enum { BALE_HUFFMAN_WORKSPACE = 129 * 256 * 12 };

#endif
