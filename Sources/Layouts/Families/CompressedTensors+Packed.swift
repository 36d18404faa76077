import ByteIO
import Codecs
import JSON
import Tensors

extension CompressedTensors {
  /// The stored tensors of one module in pack-quantized.
  struct PackedModule {
    let weight: String
    let stored: StoredTensors
    let packed: StoredTensor
    let scale: StoredTensor
    let zero: StoredTensor?
    let indices: StoredTensor?
    let shapeTensor: StoredTensor
    let dimensions: [Int]

    init(_ module: String, packed: StoredTensor, _ stored: StoredTensors) throws {
      weight = "\(module).weight"
      self.stored = stored
      self.packed = packed
      scale = try stored.required("\(module).weight_scale", of: weight)
      zero = stored["\(module).weight_zero_point"]
      indices = stored["\(module).weight_g_idx"]
      shapeTensor = try stored.required("\(module).weight_shape", of: weight)
      let shape = try stored.integers(shapeTensor, of: weight)
      // A stack of experts is packed matrix by matrix, and says the shape of one or of all.
      let full = shape.count < packed.shape.count ? packed.shape.dropLast(shape.count) + shape : shape
      dimensions = try stored.shape(full, of: weight).dimensions
      guard packed.shape.count >= 2, dimensions.dropLast() == packed.shape.dropLast() else {
        throw stored.fault(.shape(stored: packed.name, found: packed.shape, expected: "rows of \(shape)"), weight)
      }
      _ = try stored.shape(dimensions, of: weight)
    }

    var columns: Int { dimensions.last ?? 1 }
    var rows: Int { dimensions.dropLast().reduce(1, *) }
    var words: Int { packed.shape.last ?? 0 }
    /// Rows of one matrix of a stack.
    var outputs: Int { dimensions.dropLast().last ?? 1 }

    func logical() throws -> LogicalTensor {
      let (bits, packing) = try width()
      let type = try stored.scalarType(scale, of: weight)
      let grouping = try grouping()
      let codec = try stored.naming(weight) { () throws(CodecError) in
        try IntegerForm.codec(bits: bits, grouping: grouping, scale: type, zero: zero == nil ? .none : .code)
      }
      var planes: [PlaneSource] = [try codes(bits, packing), .stored(scale, .same)]
      if let zero { planes.append(try zeros(zero, bits, packing)) }
      var companions = [shapeTensor]
      if let indices {
        if case .indexed = grouping { planes.append(.stored(indices, .same)) } else { companions.append(indices) }
      }
      return LogicalTensor(
        name: weight, shape: try stored.shape(dimensions, of: weight), codec: codec,
        layout: "compressed-tensors pack-quantized \(bits)-bit", planes: planes, companions: companions)
    }

    /// Symmetric codes are stored with half the range added.
    private func codes(_ bits: Int, _ packing: Packing) throws(LayoutError) -> PlaneSource {
      let change: PackedFields.Change = zero == nil ? .flip(1 << UInt32(bits - 1)) : .none
      return try stored.naming(weight) { () throws(CodecError) in
        .stored(
          packed,
          .packed(
            try PackedFields(
              rows: rows, columns: columns, field: bits, packing: packing, word: 32, words: words, change: change)))
      }
    }

    private func zeros(_ zero: StoredTensor, _ bits: Int, _ packing: Packing) throws(LayoutError) -> PlaneSource {
      try stored.check(zero, [.i32], of: weight)
      let (stackedRows, groups) = try stored.matrix(zero, of: weight)
      let slices = max(rows / max(outputs, 1), 1)
      return try stored.naming(weight) { () throws(CodecError) in
        .stored(
          zero,
          .packed(
            try PackedFields(
              slices: slices, rows: outputs, columns: groups, field: 8, bits: bits, along: .rows, order: .words,
              packing: packing, word: 32, words: stackedRows / slices)))
      }
    }

    private func grouping() throws -> IntegersCodec.Grouping {
      let sizes = CompressedTensors.weightSchemes(stored.configuration).compactMap { $0["group_size"]?.int }
      let fitting = sizes.first { $0 > 0 && columns.dividedRoundingUp(by: $0) == scale.shape.last }
      guard let indices, let groups = scale.shape.last, groups > 1 else {
        return try stored.grouping(by: scale, rows: rows, columns: columns, configured: fitting, of: weight)
      }
      try stored.check(indices, [.i32], of: weight)
      try stored.check(indices, [columns], of: weight)
      let index = try stored.integers(indices, of: weight)
      let size = fitting ?? columns.dividedRoundingUp(by: groups)
      // -1 throughout is what an index looks like that was never set.
      if index.enumerated().allSatisfy({ $0.element == $0.offset / size }) || index.allSatisfy({ $0 < 0 }) {
        return try stored.grouping(by: scale, rows: rows, columns: columns, configured: fitting, of: weight)
      }
      guard index.allSatisfy({ (0..<groups).contains($0) }) else {
        throw stored.fault(.value("'\(indices.name)' names a group beyond the \(groups) that there are"), weight)
      }
      return .indexed(groups)
    }

    /// Bits a code and how words are filled: by the configuration and the number of words; where both ways take as
    /// many, by the version that wrote the file. 0.18 was the first to pack densely.
    private func width() throws(LayoutError) -> (bits: Int, packing: Packing) {
      let configured = CompressedTensors.weightSchemes(stored.configuration).compactMap { $0["num_bits"]?.int }
      let ways: [Packing] = isPadded ? [.words, .stream] : [.stream, .words]
      let widths = configured.isEmpty ? [4, 8, 2, 3, 5, 6, 7, 1] : configured
      for packing in ways {
        for bits in widths where (1...8).contains(bits) {
          if packing.words(fields: columns, bits: bits, word: 32) == words { return (bits, packing) }
        }
      }
      throw stored.fault(
        .disagreement(
          "\(configured.isEmpty ? "no width" : "\(configured) bits") makes \(words) words of \(columns) codes"), weight)
    }

    private var isPadded: Bool {
      guard let version = stored.configuration.string("version") else { return false }
      let numbers = version.split(separator: ".").prefix(2).compactMap { Int($0) }
      return numbers.count == 2 && (numbers[0], numbers[1]) < (0, 18)
    }
  }
}
