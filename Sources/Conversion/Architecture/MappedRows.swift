import Architectures
import ByteIO
import Checkpoints
import Codecs
import Tensors

/// The elements that a mapped input selects from its tensor, read run by run.
struct MappedRows {
  /// Elements selected.
  let count: Int
  private let source: any Checkpoint
  private let input: MappedInput
  private let dtype: DType
  /// Rows of the whole tensor.
  private let rows: Int

  init(_ source: any Checkpoint, _ input: MappedInput) {
    self.source = source
    self.input = input
    let tensor = source.tensors[input.tensor]
    // Quantized values are decoded; codes that a layout of its own gives as bytes are plain already.
    dtype = (tensor.codec as? PlainCodec)?.dtype ?? .f32
    rows = input.rowElements == 0 ? 0 : tensor.shape.elements / input.rowElements
    count = (input.rows.count(of: rows) ?? 0) * input.rowElements
  }

  /// Reads a range of the selected elements as another type, with a number added to each.
  func read(
    _ elements: Range<Int>, as type: DType, addend: Float, into target: UnsafeMutableRawBufferPointer
  ) throws {
    if type == dtype && addend == 0 && input.transposed == nil { return try gather(elements, into: target) }
    let stored = ByteBuffer(count: elements.count * dtype.bits / 8)
    try stored.withMutableBytes { stored in
      if let matrix = input.transposed {
        try gatherTransposed(elements, matrix, into: stored)
      } else {
        try gather(elements, into: stored)
      }
      try convert(UnsafeRawBufferPointer(stored), as: type, addend: addend, into: target)
    }
  }

  private func convert(
    _ stored: UnsafeRawBufferPointer, as type: DType, addend: Float, into target: UnsafeMutableRawBufferPointer
  ) throws {
    let count = stored.count / (dtype.bits / 8)
    guard addend != 0 else {
      return try Elements.convert(from: dtype, to: type, source: stored, destination: target, count: count)
    }
    var values = [Float](repeating: 0, count: count)
    try values.withUnsafeMutableBufferPointer { try Elements.decode(dtype, stored, into: $0) }
    for index in values.indices { values[index] += addend }
    try values.withUnsafeBufferPointer { try Elements.encode($0, type, into: target) }
  }

  /// The selected elements in order, in as few reads as their rows allow.
  private func gather(_ elements: Range<Int>, into target: UnsafeMutableRawBufferPointer) throws {
    let size = dtype.bits / 8
    try eachRun(elements) { from, offset in
      let part = UnsafeMutableRawBufferPointer(rebasing: target[offset * size..<(offset + from.count) * size])
      try read(from, into: part)
    }
  }

  /// Runs of the tensor's own elements that make up a range of the selected ones, each with where it starts in the
  /// range.
  private func eachRun(_ elements: Range<Int>, _ body: (Range<Int>, _ offset: Int) throws -> Void) throws {
    let columns = input.rowElements
    var at = elements.lowerBound
    while at < elements.upperBound {
      let row = at / columns
      let last = (elements.upperBound - 1) / columns
      let run = input.rows.run(fromOutputRow: row, limit: last - row + 1)
      let end = min((row + run) * columns, elements.upperBound)
      let from = input.rows.sourceRow(forOutputRow: row, of: rows) * columns + at % columns
      try body(from..<from + end - at, at - elements.lowerBound)
      at = end
    }
  }

  /// Moves the codes of a range of the selected elements into ggml's blocks. Both ends lie between blocks.
  func move(_ elements: Range<Int>, by move: BlockMove, into target: UnsafeMutableRawBufferPointer) throws {
    let reader = SpanReader(source, tensor: input.tensor)
    try eachRun(elements) { from, offset in
      let part = UnsafeMutableRawBufferPointer(rebasing: target[move.bytes(offset)..<move.bytes(offset + from.count)])
      try reader.read(from).withSpan { try move.run($0, into: part) }
    }
  }

  /// A run of the tensor's own elements, as they are if plain, else decoded to F32.
  private func read(_ elements: Range<Int>, into target: UnsafeMutableRawBufferPointer) throws {
    let reader = SpanReader(source, tensor: input.tensor)
    guard !(reader.codec is PlainCodec) else {
      _ = try source.read(input.tensor, elements: elements, into: [target])
      return
    }
    try reader.values(elements).withSpan { target.copyMemory(from: $0.planes[0]) }
  }

  /// The same where the selection is matrices that are to be transposed: those that the range touches are read whole.
  private func gatherTransposed(
    _ elements: Range<Int>, _ matrix: MatrixShape, into target: UnsafeMutableRawBufferPointer
  ) throws {
    let area = matrix.rows * matrix.columns
    let size = dtype.bits / 8
    let stored = ByteBuffer(count: area * size)
    for index in elements.lowerBound / area...(elements.upperBound - 1) / area {
      try stored.withMutableBytes { stored in
        try gather(index * area..<(index + 1) * area, into: stored)
        let wanted = elements.clamped(to: index * area..<(index + 1) * area)
        for element in wanted {
          let (column, row) = ((element - index * area) / matrix.rows, (element - index * area) % matrix.rows)
          let from = (row * matrix.columns + column) * size
          let to = (element - elements.lowerBound) * size
          for byte in 0..<size { target[to + byte] = stored[from + byte] }
        }
      }
    }
  }
}
