// Byte planes of floats: specs/codecs/lossless.md. References: Sources/Codecs/Lossless/SplitReference.swift.
#ifndef BALE_PLANES_H
#define BALE_PLANES_H

#include <stddef.h>
#include <stdint.h>

// Each element is rotated left by one bit and cut into bytes; planes[0] gets the most significant byte of every
// element, the last plane the least significant one. `size` is 2, 4 or 8 bytes an element. No pointer needs an
// alignment.
void bale_split_planes(const void *source, size_t size, size_t count, uint8_t *const *planes);

// The inverse.
void bale_join_planes(const uint8_t *const *planes, size_t size, size_t count, void *target);

#endif
