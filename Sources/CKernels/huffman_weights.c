#include "huffman_weights.h"

#include <string.h>

// FSE as RFC 8878, 4.1 and 4.2.1.2 have it, for the weights of a Huffman table: two states that take turns, numbers of
// at most LOG bits.

enum { LOG = 6, STATES = 1 << LOG, WEIGHTS = 12, STEP = STATES / 2 + STATES / 8 + 3 };

static int highest_bit(unsigned value) { return 31 - __builtin_clz(value); }

struct bits {
  uint8_t *out;
  uint64_t word;
  int used;
};

static void put(struct bits *bits, uint64_t value, int count) {
  bits->word |= value << bits->used;
  for (bits->used += count; bits->used >= 8; bits->used -= 8) {
    *bits->out++ = (uint8_t)bits->word;
    bits->word >>= 8;
  }
}

// Shares of STATES as near to the counts as whole numbers come: at least 1 for each that occurs; what is missing goes to
// the most frequent, and what is too much comes from those with the largest shares.
static void share(const int counts[WEIGHTS], int total, int shares[WEIGHTS]) {
  int sum = 0, most = 0;
  for (int s = 0; s < WEIGHTS; s++) {
    shares[s] = counts[s] * STATES / total;
    if (counts[s] && !shares[s]) shares[s] = 1;
    sum += shares[s];
    if (counts[s] > counts[most]) most = s;
  }
  if (sum < STATES) shares[most] += STATES - sum;
  for (; sum > STATES; sum--) {
    int largest = 0;
    for (int s = 1; s < WEIGHTS; s++) {
      if (shares[s] > shares[largest]) largest = s;
    }
    shares[largest]--;
  }
}

static void put_shares(struct bits *bits, const int shares[WEIGHTS]) {
  put(bits, LOG - 5, 4);
  int left = STATES;
  for (int s = 0; left > 0; s++) {
    unsigned value = (unsigned)shares[s] + 1, width = (unsigned)highest_bit((unsigned)left + 1) + 1;
    unsigned half = 1u << (width - 1), few = 2 * half - 1 - ((unsigned)left + 1);
    if (value < few) put(bits, value, (int)width - 1);
    else put(bits, value < half ? value : value + few, (int)width);
    left -= shares[s];
    if (shares[s]) continue;
    int zeros = 0;
    while (!shares[s + 1 + zeros]) zeros++;
    s += zeros;
    for (; zeros >= 3; zeros -= 3) put(bits, 3, 2);
    put(bits, (uint64_t)zeros, 2);
  }
  if (bits->used) put(bits, 0, 8 - bits->used);
}

// The symbol of each state.
static void spread(const int shares[WEIGHTS], uint8_t symbols[STATES]) {
  int at = 0;
  for (int s = 0; s < WEIGHTS; s++) {
    for (int i = 0; i < shares[s]; i++) {
      symbols[at] = (uint8_t)s;
      at = (at + STEP) % STATES;
    }
  }
}

size_t bale_write_weights(const uint8_t *weights, int count, uint8_t *out) {
  int counts[WEIGHTS] = {0}, shares[WEIGHTS], firsts[WEIGHTS], distinct = 0;
  uint8_t symbols[STATES], states[STATES];
  for (int i = 0; i < count; i++) counts[weights[i]]++;
  for (int s = 0; s < WEIGHTS; s++) distinct += counts[s] > 0;
  if (distinct < 2 || count < 3) return 0;
  share(counts, count, shares);
  struct bits bits = {out, 0, 0};
  put_shares(&bits, shares);
  spread(shares, symbols);
  for (int s = 0, sum = 0; s < WEIGHTS; sum += shares[s++]) firsts[s] = sum;
  int next[WEIGHTS];
  memcpy(next, firsts, sizeof next);
  for (int state = 0; state < STATES; state++) states[next[symbols[state]]++] = (uint8_t)(STATES + state);
  // From the last weight to the first. The last two only choose the states, each one that takes a bit to leave: so the
  // reader, which finds none, knows that they were the last.
  int state[2];
  for (int i = count - 1; i >= 0; i--) {
    int s = weights[i];
    if (i >= count - 2) {
      state[i & 1] = states[firsts[s]];
      continue;
    }
    int width = 0;
    while (state[i & 1] >> width >= 2 * shares[s]) width++;
    put(&bits, (uint64_t)state[i & 1] & ((1u << width) - 1), width);
    state[i & 1] = states[firsts[s] + (state[i & 1] >> width) - shares[s]];
  }
  put(&bits, (uint64_t)state[1] - STATES, LOG);
  put(&bits, (uint64_t)state[0] - STATES, LOG);
  put(&bits, 1, 1);
  if (bits.used) put(&bits, 0, 8 - bits.used);
  return (size_t)(bits.out - out);
}
