import Architectures
import ByteIO
import Checkpoints
import Codecs
import Tensors

/// Puts runs of mapped tensors together from the rows of their inputs.
struct MappedReader: Sendable {
  let source: any Checkpoint

  /// Fills `target` with a run of a tensor's elements.
  /// - Parameter type: the plain type of the tensor; nil for ggml's MXFP4.
  func read<Element>(
    _ tensor: MappedTensor<Element>, as type: DType?, _ elements: Range<Int>,
    into target: UnsafeMutableRawBufferPointer
  ) throws {
    switch tensor.content {
    case .constant(let values):
      values[elements].withUnsafeBytes { target.copyMemory(from: $0) }
    case .mxfp4Blocks: try weave(tensor, elements, into: target)
    case .mxfp4Codes: try unweave(tensor, elements, bytes: MXFP4Repack.codeBytes, MXFP4Repack.codes, into: target)
    case .mxfp4Scales: try unweave(tensor, elements, bytes: 1, MXFP4Repack.scales, into: target)
    case .concatenated, .interleaved:
      guard let type else { throw ArchitectureError.unknownTensor(tensor.name) }
      try gather(tensor, as: type, elements, into: target)
    }
  }

  /// The inputs' elements, one input after the other or in turn, in the output's type.
  private func gather<Element>(
    _ tensor: MappedTensor<Element>, as type: DType, _ elements: Range<Int>,
    into target: UnsafeMutableRawBufferPointer
  ) throws {
    let inputs = tensor.inputs.map { MappedRows(source, $0) }
    for run in runs(of: tensor, inputs, elements) {
      let from = (run.output.lowerBound - elements.lowerBound) * type.bits / 8
      let part = UnsafeMutableRawBufferPointer(rebasing: target[from..<from + run.output.count * type.bits / 8])
      try inputs[run.input].read(
        run.start..<run.start + run.output.count, as: type, addend: tensor.addend, into: part)
    }
  }

  /// The codes of the inputs' rows, one input after the other or in turn, moved into ggml's blocks.
  func move<Element>(
    _ tensor: MappedTensor<Element>, by move: BlockMove, _ elements: Range<Int>,
    into target: UnsafeMutableRawBufferPointer
  ) throws {
    let inputs = tensor.inputs.map { MappedRows(source, $0) }
    for run in runs(of: tensor, inputs, elements) {
      let start = run.output.lowerBound - elements.lowerBound
      let part = UnsafeMutableRawBufferPointer(
        rebasing: target[move.bytes(start)..<move.bytes(start + run.output.count)])
      try inputs[run.input].move(run.start..<run.start + run.output.count, by: move, into: part)
    }
  }

  /// A run of output elements that lie together in one input, from its element `start` on.
  private struct Run {
    var output: Range<Int>
    var input: Int
    var start: Int
  }

  private func runs<Element>(
    of tensor: MappedTensor<Element>, _ inputs: [MappedRows], _ elements: Range<Int>
  ) -> [Run] {
    if case .interleaved(let lengths) = tensor.content { return inTurn(lengths, elements) }
    var runs: [Run] = []
    var end = 0
    for (index, input) in inputs.enumerated() {
      let wanted = elements.clamped(to: end..<end + input.count)
      if !wanted.isEmpty { runs.append(Run(output: wanted, input: index, start: wanted.lowerBound - end)) }
      end += input.count
    }
    return runs
  }

  /// The runs of inputs that are taken in turn, `lengths` elements of each at a time.
  private func inTurn(_ lengths: [Int], _ elements: Range<Int>) -> [Run] {
    let period = lengths.reduce(0, +)
    guard period > 0, !elements.isEmpty else { return [] }
    var runs: [Run] = []
    let (first, last) = (elements.lowerBound / period, (elements.upperBound - 1) / period)
    for turn in first...last {
      var begin = turn * period
      for (input, length) in lengths.enumerated() {
        let wanted = elements.clamped(to: begin..<begin + length)
        if !wanted.isEmpty {
          runs.append(Run(output: wanted, input: input, start: turn * length + wanted.lowerBound - begin))
        }
        begin += length
      }
    }
    return runs
  }

  /// Code bytes and scale bytes as gpt-oss stores them, woven into ggml's blocks without touching a bit.
  private func weave<Element>(
    _ tensor: MappedTensor<Element>, _ elements: Range<Int>, into target: UnsafeMutableRawBufferPointer
  ) throws {
    let blocks = elements.lowerBound / 32..<elements.upperBound / 32
    let codes = ByteBuffer(count: blocks.count * MXFP4Repack.codeBytes)
    let scales = ByteBuffer(count: blocks.count)
    let bytes = blocks.lowerBound * MXFP4Repack.codeBytes..<blocks.upperBound * MXFP4Repack.codeBytes
    let fits = try codes.withMutableBytes { codes in
      try MappedRows(source, tensor.inputs[0]).read(bytes, as: .u8, addend: 0, into: codes)
      return try scales.withMutableBytes { scales in
        try MappedRows(source, tensor.inputs[1]).read(blocks, as: .u8, addend: 0, into: scales)
        return MXFP4Repack.blocks(
          codes: UnsafeRawBufferPointer(codes), scales: UnsafeRawBufferPointer(scales), into: target)
      }
    }
    guard fits else { throw ArchitectureError.unknownTensor(tensor.name) }
  }

  /// One part of ggml's blocks, the rows of the inputs taken in turn.
  private func unweave<Element>(
    _ tensor: MappedTensor<Element>, _ elements: Range<Int>, bytes partBytes: Int,
    _ extract: (UnsafeRawBufferPointer, UnsafeMutableRawBufferPointer) -> Bool,
    into target: UnsafeMutableRawBufferPointer
  ) throws {
    let columns = tensor.inputs.first?.rowElements ?? 0
    let row = columns / 32 * partBytes
    guard row > 0 else { return }
    let blocks = ByteBuffer(count: columns / 32 * GGMLType.mxfp4.blockBytes)
    let part = ByteBuffer(count: row)
    let first = elements.lowerBound / row
    let last = (max(elements.upperBound, 1) - 1) / row
    for index in first...last {
      let input = tensor.inputs[index % tensor.inputs.count]
      let start = index / tensor.inputs.count * columns
      let fits = try blocks.withMutableBytes { blocks in
        _ = try source.read(input.tensor, elements: start..<start + columns, into: [blocks])
        return part.withMutableBytes { extract(UnsafeRawBufferPointer(blocks), $0) }
      }
      guard fits else { throw ArchitectureError.unknownTensor(tensor.name) }
      let wanted = elements.clamped(to: index * row..<(index + 1) * row)
      part.withBytes { bytes in
        let from = UnsafeRawBufferPointer(rebasing: bytes[(wanted.lowerBound - index * row)...].prefix(wanted.count))
        UnsafeMutableRawBufferPointer(rebasing: target[(wanted.lowerBound - elements.lowerBound)...])
          .copyMemory(from: from)
      }
    }
  }
}
