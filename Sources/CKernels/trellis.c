#include "trellis.h"

#include <string.h>

#pragma STDC FP_CONTRACT OFF

#define LANES 8
#define LOWEST (1u << 16)

static const uint8_t next_state[16] = {0, 2, 5, 7, 1, 3, 6, 4, 2, 0, 4, 6, 3, 1, 7, 5};

typedef struct {
  const uint8_t *next;
  const uint8_t *end;
} words;

// Takes a slot out of a state and refills it. False where the words have run out.
static inline int advance(uint32_t *state, uint32_t first, uint32_t frequency, words *source) {
  uint32_t x = frequency * (*state >> 12) + (*state & 4095) - first;
  if (x < LOWEST) {
    if (source->next == source->end) return 0;
    x = x << 16 | (uint32_t)source->next[0] | (uint32_t)source->next[1] << 8;
    source->next += 2;
  }
  *state = x;
  return 1;
}

int bale_trellis_decode(const void *bytes, size_t count, const uint8_t *symbols, const uint16_t *bounds,
                        const uint8_t *classes, const float *steps, uint8_t *states, size_t rows, size_t columns,
                        float *output) {
  uint32_t lanes[LANES];
  const uint8_t *start = bytes;
  for (int lane = 0; lane < LANES; lane++) {
    const uint8_t *b = start + lane * 4;
    lanes[lane] = (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
  }
  words source = {start + LANES * 4, start + count};
  size_t element = 0;
  for (size_t row = 0; row < rows; row++) {
    for (size_t column = 0; column < columns; column++, element++) {
      uint32_t state = states[column];
      uint32_t context = 2u * classes[column] + (state & 1);
      uint32_t *lane = &lanes[element % LANES];
      uint32_t symbol = symbols[context * 4096 + (*lane & 4095)];
      const uint16_t *first = bounds + context * 32 + symbol;
      if (!advance(lane, first[0], (uint32_t)first[1] - first[0], &source)) return 1;
      int32_t magnitude = (int32_t)((symbol + 1) / 2);
      if (magnitude == 15) {
        uint32_t excess = *lane & 4095;
        if (!advance(lane, excess, 1, &source)) return 1;
        magnitude += (int32_t)excess;
      }
      int32_t multiple = 2 * magnitude - (magnitude != 0 ? (int32_t)(state & 1) : 0);
      output[element] = (float)(symbol & 1 ? multiple : -multiple) * steps[column];
      states[column] = next_state[2 * state + (magnitude & 1)];
    }
  }
  if (source.next != source.end) return 1;
  for (int lane = 0; lane < LANES; lane++)
    if (lanes[lane] != LOWEST) return 1;
  return 0;
}
