import ByteIO
import CKernels

/// Packings whose words only change places, done a word or eight codes at a time. Equal to the plain form byte for byte.
extension PackedFields {
  /// True for codes packed down the columns of 32-bit words with rows that are whole words: GPTQ.
  var isTransposedWords: Bool {
    guard along == .columns, order == .words, packing == .stream, word == 32, bits == field, rowBytes == words * 4
    else { return false }
    switch change {
    case .none: return true
    case .flip: return 32 % bits == 0
    case .increment, .carry: return false
    }
  }

  /// What flips every field of a word.
  private var wordFlip: UInt32 {
    guard case .flip(let mask) = change else { return 0 }
    return stride(from: 0, to: 32, by: bits).reduce(0) { $0 | mask << UInt32($1) }
  }

  /// True for 4-bit codes of eight rows in a word, as AWQ has them.
  private var isInterleavedWords: Bool {
    packing == .interleaved && along == .rows && order == .vectors && field == 4 && change == .none && columns % 8 == 0
  }

  /// The words that hold some rows; nil where the packing isn't one of these.
  func fastWords(of rows: Range<Int>) -> Range<Int>? {
    if isTransposedWords { return 0..<words }
    return isInterleavedWords ? rows.lowerBound / 8..<(rows.upperBound + 7) / 8 : nil
  }

  /// Makes rows of the plane out of a window of `fastWords`.
  func unpackFast(_ window: WordWindow, rows: Range<Int>, into target: UnsafeMutableRawBufferPointer) {
    guard isTransposedWords else { return unpackInterleaved(window, rows: rows, into: target) }
    window.withBytes {
      bale_transpose_words(
        $0.baseAddress, window.vectors.count, words, rows.count, wordFlip, target.baseAddress, rowBytes / 4)
    }
  }

  /// Makes the rows of whole words, of which the first and the last may hold some that aren't wanted.
  private func unpackInterleaved(_ window: WordWindow, rows: Range<Int>, into target: UnsafeMutableRawBufferPointer) {
    let made = window.words.count * 8
    guard made > rows.count else {
      return window.withBytes {
        bale_transpose_awq($0.baseAddress, window.words.count, columns, target.baseAddress, rowBytes)
      }
    }
    ByteBuffer(count: made * rowBytes).withMutableBytes { whole in
      window.withBytes {
        bale_transpose_awq($0.baseAddress, window.words.count, columns, whole.baseAddress, rowBytes)
      }
      let start = (rows.lowerBound - window.words.lowerBound * 8) * rowBytes
      target.copyMemory(from: UnsafeRawBufferPointer(rebasing: whole[start..<start + rows.count * rowBytes]))
    }
  }

  /// Puts rows of the plane into a window; false where the packing isn't one of these.
  func packFast(_ bytes: UnsafeRawBufferPointer, rows: Range<Int>, into window: WordWindow) -> Bool {
    guard isTransposedWords, let base = bytes.baseAddress else { return false }
    window.withBytes { output in
      guard let target = output.baseAddress else { return }
      bale_transpose_words(
        base + window.words.lowerBound * 4, rowBytes / 4, rows.count, window.words.count, wordFlip,
        target + (rows.lowerBound - window.vectors.lowerBound) * 4, window.vectors.count)
    }
    return true
  }
}
