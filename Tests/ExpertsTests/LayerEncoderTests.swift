import Codecs
import Experts
import TestSupport
import Testing

@Suite struct LayerEncoderTests {
  static func input(
    _ family: MemoryExperts, clusters: [[Int]], hessians: [ExpertHessian] = []
  ) throws -> LayerEncoder.Input {
    let hessian: @Sendable (Int) -> ExpertHessian = { hessians[$0] }
    return LayerEncoder.Input(
      layer: 0, matrix: .gate, rows: family.hidden, columns: family.wide, experts: family.weights.count,
      clusters: clusters, hessian: hessians.isEmpty ? nil : hessian
    ) { try family.matrix(layer: 0, expert: $0, matrix: .gate) }
  }

  /// Decodes an expert the way a reader does: centroid first, then the residual beside it.
  static func decode(_ layer: EncodedLayerMatrix, expert: Int) throws -> [Float] {
    func values(_ matrix: EncodedMatrix, beside reference: [Float]?) throws -> [Float] {
      let codec = try CodecRegistry.codec(matrix.descriptor)
      var output = [Float](repeating: .nan, count: matrix.rows * matrix.columns)
      try matrix.planes[0].withUnsafeBytes { codes in
        try matrix.planes[1].withUnsafeBytes { table in
          try output.withUnsafeMutableBufferPointer { out in
            let span = EncodedSpan(planes: [codes, table], elements: out.count, columns: matrix.columns)
            guard let reference else { return try codec.decode(span, into: out) }
            let referenced = try #require(codec as? any ReferencedCodec)
            try reference.withUnsafeBufferPointer { try referenced.decode(span, reference: $0, into: out) }
          }
        }
      }
      return output
    }
    let centroid = try layer.centroidOf[expert].map { try values(layer.centroids[$0], beside: nil) }
    return try values(layer.experts[expert], beside: centroid)
  }

  static func error(_ values: [Float], _ decoded: [Float]) -> Double {
    zip(values, decoded).reduce(0) { total, pair in
      let difference = Double(pair.0) - Double(pair.1)
      return total + difference * difference
    }
  }

  /// One measured point: eight experts at correlation 0.95 save at least 0.85 of the ideal at equal error.
  @Test func measuredSavingIsNearTheIdeal() throws {
    let family = MemoryExperts.family(count: 8, correlation: 0.95, hidden: 128, width: 24, seed: 1)
    let shared = try LayerEncoder(quality: 0.25).encode(Self.input(family, clusters: [Array(0..<8)]))
    let plain = try LayerEncoder(quality: 0.25).encode(Self.input(family, clusters: (0..<8).map { [$0] }))
    func codeBits(_ layer: EncodedLayerMatrix) -> Double {
      // Without the tables and coder states, which are fixed costs of so small a matrix.
      let bytes = (layer.centroids + layer.experts).reduce(0) { $0 + $1.planes[0].count - 36 }
      return Double(bytes * 8) / Double(layer.weights)
    }
    // Errors differ a little: half a bit for each factor of two.
    let correction = 0.5 * BinaryLogarithm.of(plain.relativeError / shared.relativeError)
    let saving = codeBits(plain) - codeBits(shared) + correction
    let ideal = ExpertMeterTests.formula(8, 0.95)
    #expect(saving >= 0.85 * ideal, "\(saving) of \(ideal) bits")
    #expect(saving <= ideal * 1.05)
  }

  @Test func decodesToWhatItReports() throws {
    let family = MemoryExperts.family(count: 4, correlation: 0.9, hidden: 20, width: 14, seed: 2)
    let input = try Self.input(family, clusters: [[0, 1, 3], [2]])
    let layer = try LayerEncoder(quality: 0.4).encode(input)
    #expect(layer.centroidOf == [0, 0, nil, 0])
    #expect("\(layer.experts[0].descriptor)" == "residual:codec=trellis")
    #expect("\(layer.experts[2].descriptor)" == "trellis")
    for expert in 0..<4 {
      let decoded = try Self.decode(layer, expert: expert)
      #expect(try abs(Self.error(input.weights(expert), decoded) - layer.experts[expert].squaredError) < 1e-9)
      #expect(layer.experts[expert].relativeError < 0.1)
    }
    #expect(layer.bytes == (layer.centroids + layer.experts).flatMap(\.planes).reduce(0) { $0 + $1.count })
  }

  @Test func threadsDoNotChangeTheBytes() throws {
    let family = MemoryExperts.family(count: 5, correlation: 0.9, hidden: 16, width: 12, seed: 8)
    let input = try Self.input(family, clusters: [[0, 1, 2, 4], [3]])
    var encoder = LayerEncoder(quality: 0.3)
    let alone = try encoder.encode(input)
    encoder.threads = 3
    let together = try encoder.encode(input)
    #expect(alone.experts.map(\.planes) == together.experts.map(\.planes))
    #expect(alone.centroids.map(\.planes) == together.centroids.map(\.planes))
  }

  /// Weights far outside of what models hold still give bytes that decode.
  @Test(arguments: [Float(1e-38), 1e30]) func extremeWeightsDecode(_ scale: Float) throws {
    var family = MemoryExperts.family(count: 2, correlation: 0.9, hidden: 8, width: 6, seed: 9)
    for expert in 0..<2 { family.weights[expert][.gate] = family.weights[expert][.gate]?.map { $0 * scale } }
    let layer = try LayerEncoder(quality: 0.3).encode(Self.input(family, clusters: [[0, 1]]))
    #expect(try Self.decode(layer, expert: 1).allSatisfy(\.isFinite))
  }

  /// With inputs that lie mostly in a few directions, feedback leaves less error in the output at no more bits.
  @Test func hessiansLowerTheErrorThatMatters() throws {
    let width = 16
    let family = MemoryExperts.family(count: 2, correlation: 0.9, hidden: 64, width: width, seed: 3)
    var random = SplitMix64(seed: 4)
    let directions = (0..<3 * width).map { _ in random.normal() }
    var hessian = [Float](repeating: 0, count: width * width)
    for row in 0..<width {
      for column in 0..<width {
        let product = (0..<3).reduce(0.0) { $0 + directions[$1 * width + row] * directions[$1 * width + column] }
        hessian[row * width + column] = Float(product + (row == column ? 0.1 : 0))
      }
    }
    func outputError(_ values: [Float], _ decoded: [Float]) -> Double {
      var total = 0.0
      for row in 0..<64 {
        let error = (0..<width).map { Double(values[row * width + $0] - decoded[row * width + $0]) }
        for i in 0..<width { for j in 0..<width { total += error[i] * error[j] * Double(hessian[i * width + j]) } }
      }
      return total
    }
    let known = [ExpertHessian](repeating: ExpertHessian(values: hessian, count: 100), count: 2)
    let plainInput = try Self.input(family, clusters: [[0, 1]])
    let plain = try LayerEncoder(quality: 0.35).encode(plainInput)
    let calibratedInput = try Self.input(family, clusters: [[0, 1]], hessians: known)
    let quality = try RateControl.quality(for: .bits(plain.bitsPerWeight), in: 0x1p-6...8, steps: 6) { quality in
      let layer = try LayerEncoder(quality: quality).encode(calibratedInput)
      return RateControl.Outcome(bits: layer.bitsPerWeight, error: layer.relativeError)
    }
    let calibrated = try LayerEncoder(quality: #require(quality)).encode(calibratedInput)
    let before = try outputError(plainInput.weights(0), Self.decode(plain, expert: 0))
    let after = try outputError(plainInput.weights(0), Self.decode(calibrated, expert: 0))
    #expect(calibrated.bitsPerWeight <= plain.bitsPerWeight)
    #expect(after < 0.6 * before, "\(after) after, \(before) before")
  }

  @Test func identicalAndZeroExpertsCostAlmostNothing() throws {
    let one = MemoryExperts.family(count: 1, correlation: 0, hidden: 32, width: 16, seed: 5).weights[0]
    let same = MemoryExperts(hidden: 32, wide: 16, weights: [one, one, one])
    let layer = try LayerEncoder(quality: 0.1).encode(Self.input(same, clusters: [[0, 1, 2]]))
    #expect(layer.relativeError < 0.01)
    #expect(layer.experts[1].planes == layer.experts[2].planes)
    let zero = MemoryExperts.cut([Float](repeating: 0, count: 3 * 512), size: 512)
    let zeros = MemoryExperts(hidden: 32, wide: 16, weights: [zero, zero])
    let nothing = try LayerEncoder(quality: 0.1).encode(Self.input(zeros, clusters: [[0, 1]]))
    #expect(nothing.experts.allSatisfy { $0.planes[0].count == 36 })
    #expect(try Self.decode(nothing, expert: 1).allSatisfy { $0 == 0 })
  }

  @Test func refusesHessiansThatDoNotFit() throws {
    let family = MemoryExperts.family(count: 2, correlation: 0.9, hidden: 8, width: 4, seed: 6)
    let short = [ExpertHessian](repeating: ExpertHessian(values: [1, 2], count: 1), count: 2)
    #expect(throws: ExpertError.hessianSize(layer: 0, expert: 0, matrix: .gate, expected: 4, found: 2)) {
      try LayerEncoder(quality: 1).encode(Self.input(family, clusters: [[0, 1]], hessians: short))
    }
  }

  @Test func factorIsTheInverses() throws {
    var random = SplitMix64(seed: 7)
    let size = 7
    let samples = (0..<20 * size).map { _ in random.normal() }
    var hessian = [Float](repeating: 0, count: size * size)
    for row in 0..<size {
      for column in 0..<size {
        hessian[row * size + column] = Float(
          (0..<20).reduce(0.0) { $0 + samples[$1 * size + row] * samples[$1 * size + column] } / 20)
      }
    }
    let upper = try HessianFactor(hessian, size: size, damping: 0).upper
    // (U^T U) H = 1
    for row in 0..<size {
      for column in 0..<size {
        var sum: Float = 0
        for middle in 0..<size {
          let inverse = (0..<size).reduce(Float(0)) { $0 + upper[$1 * size + row] * upper[$1 * size + middle] }
          sum += inverse * hessian[middle * size + column]
        }
        #expect(abs(sum - (row == column ? 1 : 0)) < 1e-3)
        if column < row { #expect(upper[row * size + column] == 0) }
      }
    }
    #expect(throws: ExpertError.self) { try HessianFactor([1, 2, 2, 1], size: 2, damping: 0.01) }
  }
}
