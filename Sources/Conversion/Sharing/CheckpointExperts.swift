import Checkpoints
import Codecs
import Experts
import Tensors

/// The routed experts of a checkpoint of any format, by the layer numbers that the model gives them: a layer without
/// experts has none. A layer is left out where its tensors aren't those of experts of one shape.
public struct CheckpointExperts: ExpertSource {
  /// Rows of a tensor that are one matrix of one expert.
  public struct Place: Sendable, Hashable {
    /// Index in the checkpoint's tensors.
    public var tensor: Int
    public var firstRow: Int
  }

  private struct Layer: Sendable {
    var neurons = 0
    var width = 0
    /// By expert, then gate, up, down.
    var places: [[Place]] = []
  }

  public let checkpoint: any Checkpoint
  private let layers: [Layer]
  /// Layers that have experts whose layout isn't understood.
  public let unknownLayers: [Int]

  public init(_ checkpoint: any Checkpoint) {
    self.checkpoint = checkpoint
    var found: [Int: [Int: [Experts.ExpertMatrix: Found]]] = [:]
    for (index, tensor) in checkpoint.tensors.enumerated() {
      guard case .expert(let layer, let expert, let matrix) = tensor.role else { continue }
      for item in Found.list(tensor, index: index, expert: expert, matrix: matrix.rawValue) {
        found[layer, default: [:]][item.expert, default: [:]][item.matrix] = item
      }
    }
    var layers = [Layer](repeating: Layer(), count: (found.keys.max() ?? -1) + 1)
    var unknown: [Int] = []
    for (number, experts) in found {
      if let layer = Self.layer(experts) { layers[number] = layer } else { unknown.append(number) }
    }
    self.layers = layers
    unknownLayers = unknown.sorted()
  }

  /// The layer, if its experts are numbered from 0, complete and of one shape.
  private static func layer(_ experts: [Int: [Experts.ExpertMatrix: Found]]) -> Layer? {
    var layer = Layer()
    for expert in 0..<experts.count {
      guard let matrices = experts[expert], let gate = matrices[.gate], let up = matrices[.up],
        let down = matrices[.down]
      else { return nil }
      if expert == 0 { (layer.neurons, layer.width) = (gate.rows, gate.columns) }
      let shape = [layer.neurons, layer.width]
      guard [gate.rows, gate.columns] == shape, [up.rows, up.columns] == shape, [down.columns, down.rows] == shape
      else { return nil }
      layer.places.append([gate.place, up.place, down.place])
    }
    return layer
  }

  /// A matrix of an expert as it lies in a tensor.
  private struct Found {
    var expert: Int
    var matrix: Experts.ExpertMatrix
    var rows: Int
    var columns: Int
    var place: Place

    /// The matrices that a tensor holds: one, those of a stack, or gate above up in one.
    static func list(_ tensor: CheckpointTensor, index: Int, expert: Int?, matrix: String) -> [Found] {
      let columns = tensor.shape.columns
      guard columns > 0 else { return [] }
      let count = expert == nil ? tensor.shape.dimensions.first ?? 0 : 1
      guard count > 0 else { return [] }
      let rows = tensor.shape.elements / columns / count
      let halves = matrix == "gateUp"
      let names =
        halves ? [Experts.ExpertMatrix.gate, .up] : [Experts.ExpertMatrix(rawValue: matrix)].compactMap { $0 }
      let height = halves ? rows / 2 : rows
      return (0..<count).flatMap { slice in
        names.enumerated().map { half, name in
          Found(
            expert: expert ?? slice, matrix: name, rows: height, columns: columns,
            place: Place(tensor: index, firstRow: slice * rows + half * height))
        }
      }
    }
  }

  public var layerCount: Int { layers.count }

  /// The layers that have experts.
  public var expertLayers: [Int] { layers.indices.filter { !layers[$0].places.isEmpty } }

  public func expertCount(layer: Int) -> Int { layers[layer].places.count }
  public func hiddenNeurons(layer: Int) -> Int { layers[layer].neurons }
  public func width(layer: Int) -> Int { layers[layer].width }

  /// Bytes in the checkpoint of the layer's tensors of experts.
  public func sourceBytes(layer: Int) -> Int {
    Set(layers[layer].places.flatMap { $0.map(\.tensor) }).reduce(0) { $0 + checkpoint.tensors[$1].storedBytes }
  }

  /// Where a matrix of an expert lies.
  public func place(layer: Int, expert: Int, matrix: Experts.ExpertMatrix) -> Place {
    layers[layer].places[expert][Experts.ExpertMatrix.allCases.firstIndex(of: matrix) ?? 0]
  }

  public func read(
    layer: Int, expert: Int, matrix: Experts.ExpertMatrix, rows: Range<Int>,
    into output: UnsafeMutableBufferPointer<Float>
  ) throws {
    let place = place(layer: layer, expert: expert, matrix: matrix)
    let reader = SpanReader(checkpoint, tensor: place.tensor)
    let start = (place.firstRow + rows.lowerBound) * reader.columns
    try read(start..<start + rows.count * reader.columns, reader, into: output)
  }

  /// Span by span, so that no more than one is in memory beside the output.
  private func read(
    _ wanted: Range<Int>, _ reader: SpanReader, into output: UnsafeMutableBufferPointer<Float>
  ) throws {
    let span = SpanRule.elements([reader.codec], columns: reader.columns)
    var position = wanted.lowerBound
    while position < wanted.upperBound {
      let range = position..<min(wanted.upperBound, (position / span + 1) * span)
      do {
        try reader.values(range).withFloats {
          let target = UnsafeMutableBufferPointer(
            rebasing: output[range.lowerBound - wanted.lowerBound..<range.upperBound - wanted.lowerBound])
          _ = target.update(fromContentsOf: $0)
        }
      } catch let error as CodecError {
        throw TensorError(
          tensor: checkpoint.tensors[reader.tensor].name, file: checkpoint.path, error: error)
      }
      position = range.upperBound
    }
  }
}
