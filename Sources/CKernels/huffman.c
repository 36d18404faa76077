#include "huffman.h"
#include "huffman_weights.h"

#include <stdbool.h>
#include <string.h>

#define INLINE static inline __attribute__((always_inline))

enum { MOST_BITS = 11, SYMBOLS = 129, ROW = 256, BLOCK = 128 << 10, LEAST = 1024, LEAST_CODED = 64, SLACK = 16 };

struct table {
  int symbols;                // one more than the largest
  int bits;                   // of the longest code
  uint8_t lengths[SYMBOLS];
  uint64_t codes[256];        // the code in the highest bits, its length in the lowest eight
  uint8_t description[1 + 128];
  size_t description_bytes;
};

// ---- The table ----

// Counts the values; false if one is above 128. `pairs`, all 0, is left so: bytes are counted two at a time. Not
// inlined, for the loop keeps its registers so.
static __attribute__((noinline)) bool histogram(const uint8_t *source, size_t count, uint32_t counts[256], uint32_t *pairs) {
  uint8_t least = 255, largest = 0;
  for (size_t i = 0; i < count; i++) {
    least = source[i] < least ? source[i] : least;
    largest = source[i] > largest ? source[i] : largest;
  }
  if (largest >= SYMBOLS) return false;
  size_t i = 0;
  for (; i + 8 <= count; i += 8) {
    uint64_t bytes;
    memcpy(&bytes, source + i, 8);
    for (int lane = 0; lane < 4; lane++) pairs[(uint16_t)(bytes >> 16 * lane)]++;
  }
  memset(counts, 0, 256 * sizeof *counts);
  for (; i < count; i++) counts[source[i]]++;
  for (size_t high = least; high <= largest; high++) {
    uint32_t *row = pairs + ROW * high, sum = 0;
    for (size_t low = least; low <= largest; low++) {
      counts[low] += row[low];
      sum += row[low];
    }
    memset(row + least, 0, (size_t)(largest - least + 1) * sizeof *row);
    counts[high] += sum;
  }
  return true;
}

// The best code lengths up to MOST_BITS, by package-merge (Larmore and Hirschberg, 1990): of the lists of each length,
// which of the items are symbols. Ties go to symbols, and among them to the smaller value.
static void limited_lengths(const uint32_t counts[256], const uint8_t *order, int symbols, uint8_t *lengths) {
  uint64_t weights[2 * SYMBOLS], merged[2 * SYMBOLS];
  bool is_symbol[MOST_BITS][2 * SYMBOLS];
  int size = 0;
  for (int level = 0; level < MOST_BITS; level++) {
    int packages = size / 2, package = 0, symbol = 0;
    for (int i = 0; i < packages + symbols; i++) {
      uint64_t pair = package < packages ? weights[2 * package] + weights[2 * package + 1] : UINT64_MAX;
      bool takes_symbol = symbol < symbols && counts[order[symbol]] <= pair;
      is_symbol[level][i] = takes_symbol;
      merged[i] = takes_symbol ? counts[order[symbol++]] : (package++, pair);
    }
    size = packages + symbols;
    memcpy(weights, merged, (size_t)size * sizeof *weights);
  }
  int taken = 2 * symbols - 2;
  for (int level = MOST_BITS - 1; level >= 0; level--) {
    int of_symbols = 0;
    for (int i = 0; i < taken; i++) of_symbols += is_symbol[level][i];
    for (int i = 0; i < of_symbols; i++) lengths[order[i]]++;
    taken = 2 * (taken - of_symbols);
  }
}

// Codes as RFC 8878, 4.2.1.3 orders them: from 0, the longest first, those of one length by value.
static void assign_codes(struct table *table) {
  uint32_t next[MOST_BITS + 2] = {0}, code = 0;
  int used[MOST_BITS + 2] = {0};
  for (int value = 0; value < table->symbols; value++) used[table->lengths[value]]++;
  for (int length = table->bits; length > 0; length--) {
    next[length] = code;
    code = (code + (uint32_t)used[length]) >> 1;
  }
  for (int value = 0; value < table->symbols; value++) {
    int length = table->lengths[value];
    if (length) table->codes[value] = (uint64_t)next[length]++ << (64 - length) | (uint64_t)length;
  }
}

// The weights of all values but the last, which follows from them (RFC 8878, 4.2.1.1): in four bits each, or compressed
// where that takes less.
static void describe(struct table *table) {
  uint8_t weights[SYMBOLS + 1] = {0}, *out = table->description;
  int count = table->symbols - 1;
  for (int value = 0; value < count; value++) {
    if (table->lengths[value]) weights[value] = (uint8_t)(table->bits + 1 - table->lengths[value]);
  }
  size_t direct = ((size_t)count + 1) / 2, compressed = bale_write_weights(weights, count, out + 1);
  bool is_compressed = compressed && compressed < direct;
  out[0] = (uint8_t)(is_compressed ? compressed : 127 + (size_t)count);
  table->description_bytes = 1 + (is_compressed ? compressed : direct);
  if (is_compressed) return;
  for (int value = 0; value < count; value += 2) {
    out[1 + value / 2] = (uint8_t)(weights[value] << 4 | weights[value + 1]);
  }
}

// False for bytes of one value alone.
static bool make_table(const uint32_t counts[256], struct table *table) {
  uint8_t order[SYMBOLS];
  int symbols = 0;
  memset(table, 0, sizeof *table);
  for (int value = 0; value < SYMBOLS; value++) {
    if (!counts[value]) continue;
    table->symbols = value + 1;
    int place = symbols++;
    for (; place > 0 && counts[order[place - 1]] > counts[value]; place--) order[place] = order[place - 1];
    order[place] = (uint8_t)value;
  }
  if (symbols < 2) return false;
  limited_lengths(counts, order, symbols, table->lengths);
  table->bits = table->lengths[order[0]];
  assign_codes(table);
  describe(table);
  return true;
}

// Bits of all symbols by a table; more than any other if it lacks one of them.
static uint64_t cost(const struct table *table, const uint32_t counts[256]) {
  uint64_t bits = 0;
  for (int value = 0; value < SYMBOLS; value++) {
    if (counts[value] && !table->lengths[value]) return UINT64_MAX;
    bits += (uint64_t)counts[value] * table->lengths[value];
  }
  return bits;
}

// The codes of two bytes in a row, the second of which is put into its stream first: one code of up to 22 bits.
static void pair_codes(const struct table *table, uint64_t *pairs) {
  uint8_t used[SYMBOLS];
  int symbols = 0;
  for (int value = 0; value < table->symbols; value++) {
    if (table->lengths[value]) used[symbols++] = (uint8_t)value;
  }
  for (int i = 0; i < symbols; i++) {
    uint64_t second = table->codes[used[i]];
    for (int k = 0; k < symbols; k++) {
      uint64_t first = table->codes[used[k]], length = first & 0xff;
      pairs[ROW * used[i] + used[k]] = (second & ~(uint64_t)0xff) >> length | (first & ~(uint64_t)0xff)
        | ((second & 0xff) + length);
    }
  }
}

// ---- The streams ----

struct stream {
  uint64_t bits;  // the newest in the highest
  uint64_t used;  // how many, in the lowest eight bits; the others are noise
  uint8_t *out;
};

#define PUT(s, entry) \
  do { \
    uint64_t e = (entry); \
    (s).bits = (s).bits >> (e & 63) | e; \
    (s).used += e; \
  } while (0)

INLINE void flush(struct stream *s) {
  uint64_t used = s->used & 0xff, bits = s->bits >> ((64 - used) & 63);
  memcpy(s->out, &bits, 8);
  s->out += used >> 3;
  s->used = used & 7;
}

#define PUT_PAIR(s, source) \
  do { \
    uint16_t two; \
    memcpy(&two, source, 2); \
    PUT(s, pairs[two]); \
  } while (0)

// Puts `count` symbols into two streams, back to front, both at once: a pair waits only for the one before it in its
// stream. A function of its own, so that all of it stays in registers.
typedef void encode_two(const uint8_t *first, const uint8_t *second, size_t count, const uint64_t *pairs,
                        struct stream *one, struct stream *two);

INLINE void encode_pairs(const uint8_t *first, const uint8_t *second, size_t count, const uint64_t *pairs,
                         struct stream *one, struct stream *two) {
  struct stream a = *one, b = *two;
  for (size_t i = count; i > 0; i -= 4) {
    PUT_PAIR(a, first + i - 2);
    PUT_PAIR(b, second + i - 2);
    PUT_PAIR(a, first + i - 4);
    PUT_PAIR(b, second + i - 4);
    flush(&a);
    flush(&b);
  }
  *one = a;
  *two = b;
}

static __attribute__((noinline)) void encode_two_plain(const uint8_t *first, const uint8_t *second, size_t count,
                                                       const uint64_t *pairs, struct stream *one, struct stream *two) {
  encode_pairs(first, second, count, pairs, one, two);
}

#if defined(__x86_64__)
// Shifts by a register without detours.
__attribute__((target("bmi2"), noinline)) static void encode_two_bmi2(
    const uint8_t *first, const uint8_t *second, size_t count, const uint64_t *pairs, struct stream *one,
    struct stream *two) {
  encode_pairs(first, second, count, pairs, one, two);
}
#endif

// The four streams of a block. Each is written where the one before may end at the latest; the sizes follow.
static void encode(const uint8_t *source, size_t count, const uint64_t *codes, const uint64_t *pairs,
                   encode_two *encode_two, uint8_t *out, size_t room, size_t sizes[4]) {
  size_t segment = (count + 3) / 4, last = count - 3 * segment, common = last & ~(size_t)3;
  struct stream s[4];
  for (size_t k = 0; k < 4; k++) {
    s[k] = (struct stream){0, 0, out + k * room};
    for (size_t i = k < 3 ? segment : last; i > common; i--) {
      PUT(s[k], codes[source[k * segment + i - 1]]);
      flush(&s[k]);
    }
  }
  for (size_t k = 0; k < 4; k += 2) {
    const uint8_t *first = source + k * segment;
    encode_two(first, first + segment, common, pairs, &s[k], &s[k + 1]);
  }
  for (size_t k = 0; k < 4; k++) {
    PUT(s[k], (uint64_t)1 << 63 | 1);  // ends the stream
    flush(&s[k]);
    sizes[k] = (size_t)(s[k].out - (out + k * room)) + (s[k].used ? 1 : 0);
  }
}

// ---- The frame ----

static uint8_t *little_endian(uint8_t *out, uint64_t value, int bytes) {
  for (int i = 0; i < bytes; i++) *out++ = (uint8_t)(value >> 8 * i);
  return out;
}

static uint8_t *write_frame_header(uint8_t *out, size_t count) {
  out = little_endian(out, 0xFD2FB528, 4);
  bool is_short = count < 65536 + 256;
  *out++ = is_short ? 0x60 : 0xA0;  // a single segment; the content size in two or four bytes
  return little_endian(out, is_short ? count - 256 : count, is_short ? 2 : 4);
}

static uint8_t *write_block_header(uint8_t *out, size_t size, int type, bool is_last) {
  return little_endian(out, size << 3 | (unsigned)type << 1 | is_last, 3);
}

// A block of literals, with its table or by that of the block before.
static uint8_t *write_block(const uint8_t *source, size_t count, const struct table *table, const uint64_t *pairs,
                            encode_two *encode_two, bool with_table, bool is_last, uint8_t *out) {
  uint8_t *literals = out + 3 + 5, *jumps = literals;
  if (with_table) {
    memcpy(jumps, table->description, table->description_bytes);
    jumps += table->description_bytes;
  }
  uint8_t *streams = jumps + 6;
  size_t room = (count + 3) / 4 * MOST_BITS / 8 + SLACK, sizes[4];
  encode(source, count, table->codes, pairs, encode_two, streams, room, sizes);
  uint8_t *end = streams + sizes[0];
  for (size_t k = 1; k < 4; k++) {
    memmove(end, streams + k * room, sizes[k]);
    end += sizes[k];
  }
  for (int k = 0; k < 3; k++) jumps = little_endian(jumps, sizes[k], 2);
  uint64_t section = (uint64_t)(with_table ? 2 : 3) | 3 << 2 | count << 4 | (uint64_t)(end - literals) << 22;
  little_endian(out + 3, section, 5);
  *end++ = 0;  // no sequences
  write_block_header(out, (size_t)(end - out) - 3, 2, is_last);
  return end;
}

// Bytes that a block needs while it is made.
static size_t workspace_bytes(size_t count) {
  return 3 + 5 + 1 + SYMBOLS / 2 + 6 + 4 * ((count + 3) / 4 * MOST_BITS / 8 + SLACK) + 1;
}

size_t bale_huffman_frame(const void *source, size_t count, void *target, size_t capacity, void *workspace) {
  struct table tables[2], *known = NULL, *own = tables;
  uint64_t *pairs = workspace;
  uint32_t *pair_counts = (uint32_t *)(pairs + ROW * SYMBOLS);
  encode_two *encode_two = encode_two_plain;
#if defined(__x86_64__)
  if (__builtin_cpu_supports("bmi2")) encode_two = encode_two_bmi2;
#endif
  if (count < LEAST || count >= (size_t)1 << 31 || capacity < 9) return 0;
  memset(pair_counts, 0, ROW * SYMBOLS * sizeof *pair_counts);
  uint8_t *out = write_frame_header(target, count);
  for (size_t start = 0; start < count; start += BLOCK) {
    const uint8_t *block = (const uint8_t *)source + start;
    size_t size = count - start < BLOCK ? count - start : BLOCK, left = capacity - (size_t)(out - (uint8_t *)target);
    bool is_last = start + size == count;
    if (left < workspace_bytes(size)) return 0;
    if (size < LEAST_CODED) {
      out = write_block_header(out, size, 0, is_last);
      memcpy(out, block, size);
      return (size_t)(out + size - (uint8_t *)target);
    }
    uint32_t counts[256];
    if (!histogram(block, size, counts, pair_counts) || !make_table(counts, own)) return 0;
    bool with_table = !known || cost(known, counts) > cost(own, counts) + 8 * own->description_bytes;
    if (with_table) {
      struct table *other = own == tables ? tables + 1 : tables;
      known = own;
      own = other;
      pair_codes(known, pairs);
    }
    out = write_block(block, size, known, pairs, encode_two, with_table, is_last, out);
  }
  return (size_t)(out - (uint8_t *)target);
}
