import ByteIO
import Checkpoints
import Codecs
import Conversion
import Experts

/// A checkpoint with the hidden neurons of some layers' experts in the order in which another has them. The order isn't
/// stored: it is found again by matching neurons, and what doesn't match shows as a difference.
struct ReorderedCheckpoint: CheckpointView {
  /// Rows of a tensor that are one matrix of an expert.
  private struct Piece: Sendable {
    var firstRow: Int
    var rows: Int
    var layer: Int
    var expert: Int
    var matrix: Experts.ExpertMatrix
  }

  let tensors: [CheckpointTensor]
  let source: any Checkpoint
  private let experts: CheckpointExperts
  private let pieces: [Int: [Piece]]
  /// By layer and expert.
  private let orders: [Int: [[Int]]]

  /// The original, reordered if the other says that it is. Throws the errors of reading.
  static func matching(_ original: any Checkpoint, to other: any Checkpoint) throws -> any Checkpoint {
    guard let layers = (other as? BaleCheckpoint)?.reorderedLayers, !layers.isEmpty else { return original }
    return try ReorderedCheckpoint(original, like: other, layers: layers)
  }

  private init(_ original: any Checkpoint, like other: any Checkpoint, layers: [Int]) throws {
    source = original
    let experts = CheckpointExperts(original)
    let others = CheckpointExperts(other)
    self.experts = experts
    var orders: [Int: [[Int]]] = [:]
    var pieces: [Int: [Piece]] = [:]
    for layer in layers where Self.fit(experts, others, layer: layer) {
      orders[layer] = try (0..<experts.expertCount(layer: layer)).map {
        try NeuronAlignment().order(of: $0, in: experts, like: $0, in: others, layer: layer)
      }
      for expert in 0..<experts.expertCount(layer: layer) {
        for matrix in Experts.ExpertMatrix.allCases {
          let place = experts.place(layer: layer, expert: expert, matrix: matrix)
          pieces[place.tensor, default: []].append(
            Piece(
              firstRow: place.firstRow, rows: experts.rows(layer: layer, matrix: matrix), layer: layer, expert: expert,
              matrix: matrix))
        }
      }
    }
    self.orders = orders
    self.pieces = pieces
    tensors = original.tensors.enumerated().map { index, tensor in
      guard pieces[index] != nil else { return tensor }
      var view = tensor
      view.codec = PlainCodec(.f32)
      return view
    }
  }

  private static func fit(_ a: CheckpointExperts, _ b: CheckpointExperts, layer: Int) -> Bool {
    guard a.expertLayers.contains(layer), b.expertLayers.contains(layer) else { return false }
    return a.expertCount(layer: layer) == b.expertCount(layer: layer)
      && a.hiddenNeurons(layer: layer) == b.hiddenNeurons(layer: layer)
      && a.width(layer: layer) == b.width(layer: layer)
  }

  func read(_ tensor: Int, elements: Range<Int>, into planes: [UnsafeMutableRawBufferPointer]) throws -> [Int] {
    guard let pieces = pieces[tensor] else {
      return try source.read(tensor, elements: elements, into: planes)
    }
    let output = planes[0].bindMemory(to: Float.self)
    let columns = tensors[tensor].shape.columns
    for piece in pieces {
      let rows = piece.firstRow..<piece.firstRow + piece.rows
      let wanted = elements.clamped(to: rows.lowerBound * columns..<rows.upperBound * columns)
      guard !wanted.isEmpty else { continue }
      for row in wanted.lowerBound / columns...(wanted.upperBound - 1) / columns {
        let values = try self.row(row - piece.firstRow, of: piece, columns: columns)
        let range = wanted.clamped(to: row * columns..<(row + 1) * columns)
        for element in range { output[element - elements.lowerBound] = values[element - row * columns] }
      }
    }
    return [elements.count * MemoryLayout<Float>.size]
  }

  /// A row of a matrix as the other has it.
  private func row(_ row: Int, of piece: Piece, columns: Int) throws -> [Float] {
    let order = orders[piece.layer]?[piece.expert] ?? []
    let stored = piece.matrix.neuronsAreRows ? order[row] : row
    let values = try [Float](unsafeUninitializedCapacity: columns) { buffer, count in
      try experts.read(
        layer: piece.layer, expert: piece.expert, matrix: piece.matrix, rows: stored..<stored + 1, into: buffer)
      count = columns
    }
    return piece.matrix.neuronsAreRows ? values : order.map { values[$0] }
  }
}
