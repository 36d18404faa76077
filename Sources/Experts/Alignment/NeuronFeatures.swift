import CLAPACK

/// The neurons of an expert as vectors: row of gate, row of up, column of down, each matrix scaled to norm 1. Of wide
/// models only so many of the model's dimensions, spread evenly: a thousand of each matrix tell neurons apart whose cosine
/// is 0.1, among thousands.
struct NeuronFeatures {
  let neurons: Int
  /// Dimensions of the model that are taken.
  private let places: [Int]
  private var values: [Float]

  /// Most dimensions of the model that are taken.
  static let mostPlaces = 1024
  /// Bytes of a matrix in memory at a time.
  private static let stripBytes = 16 << 20

  private var length: Int { ExpertMatrix.allCases.count * places.count }

  /// Throws `ExpertError.notFinite`, and what the source throws.
  init(_ source: some ExpertSource, layer: Int, expert: Int) throws {
    neurons = source.hiddenNeurons(layer: layer)
    let width = source.width(layer: layer)
    let taken = min(width, Self.mostPlaces)
    places = (0..<taken).map { $0 * width / taken }
    values = [Float](repeating: 0, count: neurons * ExpertMatrix.allCases.count * taken)
    for (part, matrix) in ExpertMatrix.allCases.enumerated() {
      try fill(part, matrix, source, layer: layer, expert: expert)
      normalize(part)
    }
  }

  /// Takes a matrix strip by strip.
  private mutating func fill(
    _ part: Int, _ matrix: ExpertMatrix, _ source: some ExpertSource, layer: Int, expert: Int
  ) throws {
    let (rows, columns) = (source.rows(layer: layer, matrix: matrix), source.columns(layer: layer, matrix: matrix))
    let height = min(max(1, Self.stripBytes / max(1, 4 * columns)), max(rows, 1))
    var strip = [Float](repeating: 0, count: height * columns)
    for start in stride(from: 0, to: rows, by: height) {
      let range = start..<min(start + height, rows)
      try strip.withUnsafeMutableBufferPointer { strip in
        let used = UnsafeMutableBufferPointer(rebasing: strip[..<(range.count * columns)])
        try source.read(layer: layer, expert: expert, matrix: matrix, rows: range, into: used)
        guard used.allSatisfy(\.isFinite) else {
          throw ExpertError.notFinite(layer: layer, expert: expert, matrix: matrix)
        }
        take(UnsafeBufferPointer(used), rows: range, columns: columns, part, neuronsAreRows: matrix.neuronsAreRows)
      }
    }
  }

  private mutating func take(
    _ strip: UnsafeBufferPointer<Float>, rows: Range<Int>, columns: Int, _ part: Int, neuronsAreRows: Bool
  ) {
    let (length, first) = (length, part * places.count)
    values.withUnsafeMutableBufferPointer { values in
      for (index, place) in places.enumerated() {
        if neuronsAreRows {
          for row in rows {
            values[row * length + first + index] = strip[(row - rows.lowerBound) * columns + place]
          }
        } else if rows.contains(place) {
          let line = (place - rows.lowerBound) * columns
          for neuron in 0..<columns { values[neuron * length + first + index] = strip[line + neuron] }
        }
      }
    }
  }

  /// Scales what was taken of a matrix to norm 1.
  private mutating func normalize(_ part: Int) {
    let (length, neurons) = (length, neurons)
    let columns = part * places.count..<(part + 1) * places.count
    values.withUnsafeMutableBufferPointer { values in
      var total = 0.0
      for neuron in 0..<neurons {
        for column in columns {
          total += Double(values[neuron * length + column]) * Double(values[neuron * length + column])
        }
      }
      guard total > 0 else { return }
      let scale = Float(1 / total.squareRoot())
      for neuron in 0..<neurons { for column in columns { values[neuron * length + column] *= scale } }
    }
  }

  var norm: Double {
    values.withUnsafeBufferPointer { $0.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot() }
  }

  func cleared() -> NeuronFeatures {
    var copy = self
    copy.values = [Float](repeating: 0, count: values.count)
    return copy
  }

  mutating func add(_ other: NeuronFeatures, order: [Int]) {
    let length = length
    values.withUnsafeMutableBufferPointer { values in
      other.values.withUnsafeBufferPointer { other in
        for (place, neuron) in order.enumerated() {
          for index in 0..<length { values[place * length + index] += other[neuron * length + index] }
        }
      }
    }
  }

  /// Inner products of own neurons (rows) and another's (columns), by BLAS `sgemm`.
  func products(with other: NeuronFeatures) -> [Float] {
    var result = [Float](repeating: 0, count: neurons * neurons)
    let size = Int32(neurons)
    let depth = Int32(length)
    cblas_sgemm(
      CblasRowMajor, CblasNoTrans, CblasTrans, size, size, depth, 1, values, depth, other.values, depth, 0,
      &result, size)
    return result
  }
}
