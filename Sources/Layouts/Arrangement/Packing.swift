import ByteIO

/// In which bits of a vector's words its fields lie. The raw values stand in `.bale` files.
public enum Packing: String, Sendable, CaseIterable {
  /// A little-endian bit stream: field i is bits i * width and on, whatever words they fall in.
  case stream
  /// As many whole fields a word as fit, first in the lowest bits.
  case words
  /// Field i in word i % W, fields of one word first in the lowest bits (Quanto, BitNet).
  case split
  /// Field i in word i % W, fields of one word first in the highest of the bits that they take (HQQ).
  case splitHigh
  /// Eight fields of 4 bits a word, of which the first lies at nibble 0, then at 4, 1, 5, 2, 6, 3, 7 (AWQ GEMM).
  case interleaved
  /// Of each 32 fields their low bits together, then their higher ones: 3 = 2 + 1, 5 = 4 + 1, 6 = 4 + 2, 7 = 4 + 2 + 1,
  /// and in a plane of w bits, 32 / w fields to a word (GPTQModel's gptq_p).
  case planar

  /// Words that so many fields take at least; nil if they are too many to count, or no bits at all.
  func words(fields: Int, bits: Int, word: Int) -> Int? {
    guard fields >= 0, bits > 0, word > 0 else { return nil }
    return switch self {
    case .stream: fields.multiplied(by: bits)?.dividedRoundingUp(by: word)
    case .words, .split, .splitHigh, .interleaved: fields.dividedRoundingUp(by: max(word / bits, 1))
    case .planar: fields.dividedRoundingUp(by: 32).multiplied(by: bits)
    }
  }

  func suits(bits: Int, word: Int) -> Bool {
    switch self {
    case .stream: word == 32 || word % bits == 0
    case .words, .split, .splitHigh: true
    case .interleaved: bits == 4 && word == 32
    case .planar: (1...8).contains(bits) && word == 32
    }
  }

  /// A run of bits of a field within a word.
  struct Piece {
    var word: Int
    /// Where in the word the run lies.
    var shift: UInt32
    /// Its bits, all ones, at the bottom.
    var mask: UInt32
    /// Where in the field it belongs.
    var position: UInt32
  }

  /// The pieces of a field of a vector of `words` words.
  func pieces(of field: Int, bits: Int, word: Int, words: Int) -> [Piece] {
    let mask = UInt32.max >> UInt32(32 - bits)
    func piece(_ index: Int, _ shift: Int) -> [Piece] {
      [Piece(word: index, shift: UInt32(shift), mask: mask, position: 0)]
    }
    switch self {
    case .stream: return Self.streamPieces(field * bits, bits: bits, word: word)
    case .words: return piece(field / (word / bits), field % (word / bits) * bits)
    case .split: return piece(field % max(words, 1), field / max(words, 1) * bits)
    case .splitHigh: return piece(field % max(words, 1), (word / bits - 1 - field / max(words, 1)) * bits)
    case .interleaved: return piece(field / 8, [0, 4, 1, 5, 2, 6, 3, 7][field % 8] * 4)
    case .planar: return Self.planarPieces(field, bits: bits)
    }
  }

  private static func streamPieces(_ start: Int, bits: Int, word: Int) -> [Piece] {
    let (first, shift) = (start / word, start % word)
    let low = min(bits, word - shift)
    var pieces = [
      Piece(word: first, shift: UInt32(shift), mask: UInt32.max >> UInt32(32 - low), position: 0)
    ]
    if low < bits {
      pieces.append(
        Piece(word: first + 1, shift: 0, mask: UInt32.max >> UInt32(32 - bits + low), position: UInt32(low)))
    }
    return pieces
  }

  private static func planarPieces(_ field: Int, bits: Int) -> [Piece] {
    var (pieces, word, position) = ([Piece](), field / 32 * bits, 0)
    // 8 = 8, 7 = 4 + 2 + 1, 6 = 4 + 2, and so on: the binary digits of the width.
    for width in [8, 4, 2, 1] where bits & width != 0 {
      let perWord = 32 / width
      pieces.append(
        Piece(
          word: word + field % 32 / perWord, shift: UInt32(field % perWord * width),
          mask: (1 << UInt32(width)) - 1, position: UInt32(position)))
      word += width
      position += width
    }
    return pieces
  }
}
