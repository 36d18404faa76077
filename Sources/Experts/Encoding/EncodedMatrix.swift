import Codecs

/// A matrix as it will be stored, and what that cost.
public struct EncodedMatrix: Sendable {
  public let descriptor: CodecDescriptor
  public let rows: Int
  public let columns: Int
  /// The bytes of each plane, in the codec's order.
  public let planes: [[UInt8]]
  /// Squared error summed over the matrix, and the squared norm of the original.
  public let squaredError: Double
  public let squaredNorm: Double
  public let maximumError: Float

  public var bytes: Int { planes.reduce(0) { $0 + $1.count } }
  public var relativeError: Double { squaredNorm > 0 ? squaredError / squaredNorm : 0 }

  /// - Parameters:
  ///   - original: what is encoded, rows x columns.
  ///   - reference: what the codes stand beside.
  init(_ descriptor: CodecDescriptor, _ codes: TrellisCodes, original: [Float], reference: [Float]?) {
    self.descriptor = descriptor
    rows = codes.rows
    columns = codes.columns
    planes = TrellisEncoder.planes(codes)
    var error = 0.0
    var norm = 0.0
    var maximum: Float = 0
    for column in 0..<columns {
      var index = column
      codes.eachValue(column: column) { value in
        let decoded = reference.map { $0[index] + value } ?? value
        let difference = Double(original[index]) - Double(decoded)
        error += difference * difference
        norm += Double(original[index]) * Double(original[index])
        maximum = max(maximum, abs(original[index] - decoded))
        index += codes.columns
      }
    }
    squaredError = error
    squaredNorm = norm
    maximumError = maximum
  }
}

/// What calibration knows of one matrix of one expert.
public struct ExpertHessian: Sendable {
  /// X^T X / n over the inputs that reached the expert, columns x columns.
  public var values: [Float]
  /// n: how many inputs that were.
  public var count: Int

  public init(values: [Float], count: Int) {
    self.values = values
    self.count = count
  }
}

/// One matrix of all experts of a layer, encoded.
public struct EncodedLayerMatrix: Sendable {
  public let layer: Int
  public let matrix: ExpertMatrix
  /// One a cluster of more than one expert: resident.
  public let centroids: [EncodedMatrix]
  /// One an expert: `residual:codec=trellis` if it has a centroid, `trellis` if it is stored plain.
  public let experts: [EncodedMatrix]
  /// Index in `centroids` of each expert's centroid; nil for a plain one.
  public let centroidOf: [Int?]

  public var bytes: Int { (centroids + experts).reduce(0) { $0 + $1.bytes } }
  /// Weights of the experts.
  public var weights: Int { experts.reduce(0) { $0 + $1.rows * $1.columns } }
  /// Everything that is stored, centroids and tables too, over the weights of the experts.
  public var bitsPerWeight: Double { weights == 0 ? 0 : Double(bytes * 8) / Double(weights) }
  public var relativeError: Double {
    let norm = experts.reduce(0.0) { $0 + $1.squaredNorm }
    return norm > 0 ? experts.reduce(0.0) { $0 + $1.squaredError } / norm : 0
  }
}
