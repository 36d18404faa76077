import Codecs
import Tensors

/// The stored tensors of one linear module of SpQR's inference library (github.com/Vahe1994/SpQR, inference_lib):
/// `dense_weights` I64, `row_offsets` and `col_vals` I32, and `in_perm`, whose I32 hold two columns each.
struct PublishedSpQRModule {
  let name: String
  let rows: Int
  let columns: Int
  private let stored: StoredTensors
  private let dense: StoredTensor
  private let offsets: StoredTensor
  private let values: StoredTensor
  private let permutation: StoredTensor?

  /// Throws `LayoutError` if one is missing, of another dtype, or if their lengths are those of no matrix.
  init(_ name: String, dense: StoredTensor, _ stored: StoredTensors) throws {
    self.name = name
    self.stored = stored
    self.dense = dense
    let offsets = try stored.required("\(name).row_offsets", of: name)
    self.offsets = offsets
    values = try stored.required("\(name).col_vals", of: name)
    permutation = stored["\(name).in_perm"].flatMap { $0.shape.reduce(1, *) == 0 ? nil : $0 }
    try stored.check(dense, [.i64, .u64], of: name)
    for tensor in [offsets, values] + [permutation].compactMap({ $0 }) {
      try stored.check(tensor, [.i32, .u32], of: name)
    }
    let sides = try Self.sides(
      words: stored.bytes(dense).count / 8, offsets: stored.bytes(offsets).count / 4,
      permuted: permutation.map { stored.bytes($0).count / 2 }
    ) { try Self.isInterleaved(stored.integers(offsets, of: name)) }
    guard let sides else {
      throw stored.fault(.value("the lengths of its tensors don't say the sides of a matrix of 16 x 16 tiles"), name)
    }
    (rows, columns) = sides
  }

  var members: [StoredTensor] { [dense, offsets, values] + [stored["\(name).in_perm"]].compactMap { $0 } }
  var isPermuted: Bool { permutation != nil }

  /// The sides of a matrix of so many words, from the length of its permutation, or else from how its outliers lie.
  /// - Parameter interleaved: whether row offsets are those of panels, where both would do; nil if they don't say.
  private static func sides(
    words: Int, offsets: Int, permuted: Int?, interleaved: () throws -> Bool?
  ) rethrows -> (rows: Int, columns: Int)? {
    let panels = offsets - 1
    func sides(rows: Int) -> (rows: Int, columns: Int)? {
      guard rows > 0, rows % 16 == 0, words % (rows / 16) == 0, words / (rows / 16) % 16 == 0 else { return nil }
      return (rows, words / (rows / 16))
    }
    guard panels > 0, panels <= words, let tall = panels.multiplied(by: 16) else { return nil }
    let (plain, stacked) = (sides(rows: panels), sides(rows: tall))
    if let permuted { return [plain, stacked].lazy.compactMap { $0 }.first { $0.columns == permuted } }
    guard let plain, let stacked else { return plain ?? stacked }
    return try interleaved().map { $0 ? stacked : plain }
  }

  /// True if every panel's entries are whole stripes of 16 rows; nil if there are no entries to tell by.
  private static func isInterleaved(_ offsets: [Int]) -> Bool? {
    offsets.last == 0 ? nil : zip(offsets, offsets.dropFirst()).allSatisfy { ($1 - $0) % 16 == 0 }
  }

  /// The weight. Throws `LayoutError` where its tensors hold what the library doesn't write.
  func span() throws -> SpQRMatrix {
    let published = PublishedSpQR(
      rows: rows, columns: columns, denseWords: try numbers(dense), rowOffsets: try numbers(offsets),
      columnValues: try numbers(values), permutation: try permutation.map { try numbers($0) } ?? [])
    return try stored.naming(name) { () throws(CodecError) in try published.span() }
  }

  private func numbers<Number: FixedWidthInteger & BitwiseCopyable>(_ tensor: StoredTensor) throws -> [Number] {
    let bytes = stored.bytes(tensor)
    return try bytes.buffer(0..<bytes.count).withBytes { bytes in
      stride(from: 0, to: bytes.count, by: Number.bitWidth / 8).map {
        Number(littleEndian: bytes.loadUnaligned(fromByteOffset: $0, as: Number.self))
      }
    }
  }
}
