import ByteIO
import Codecs
import Tensors

/// GPTQ as AutoGPTQ and GPTQModel store it: codes packed down the inputs, zero points along the outputs, F16 scales by
/// group; formats `gptq` (zero points less one), `gptq_v2` and the planar `gptq_p`. auto-round writes the first.
struct GPTQ: Layout {
  let name = "GPTQ"

  func tensors(in stored: StoredTensors) throws -> [LogicalTensor] {
    for (module, _) in stored.ending(".qzeros") where stored["\(module).qweight"] == nil {
      throw stored.fault(.missing("\(module).qweight"), "\(module).weight")
    }
    guard stored.configuration.method != "awq" else { return [] }
    return try stored.ending(".qweight").compactMap { module, qweight in
      guard let scales = stored["\(module).scales"], qweight.shape.count == 2, scales.shape.count == 2 else {
        guard stored.configuration.method == "gptq" else { return nil }
        throw stored.fault(.missing("\(module).scales"), "\(module).weight")
      }
      guard stored.configuration.method == "gptq" || Self.hasShape(qweight, scales, stored.configuration) else {
        return nil
      }
      return try Module(module, qweight: qweight, scales: scales, stored).logical()
    }
  }

  /// True for codes packed down the inputs: as many columns as there are scales a group.
  private static func hasShape(
    _ qweight: StoredTensor, _ scales: StoredTensor, _ configuration: QuantizationConfiguration
  ) -> Bool {
    if let packing = configuration.string("packing_format"), packing.contains("awq") { return false }
    return qweight.shape[1] == scales.shape[1] && qweight.dtype != .i16
  }
}

extension GPTQ {
  /// The stored tensors of one linear layer.
  private struct Module {
    let weight: String
    let stored: StoredTensors
    let qweight: StoredTensor
    let scales: StoredTensor
    let qzeros: StoredTensor
    let indices: StoredTensor?
    let format: Format

    var outputs: Int { scales.shape[1] }
    var groups: Int { scales.shape[0] }
    var word: Int { qweight.dtype.bits }

    init(_ module: String, qweight: StoredTensor, scales: StoredTensor, _ stored: StoredTensors) throws {
      weight = "\(module).weight"
      self.stored = stored
      self.qweight = qweight
      self.scales = scales
      qzeros = try stored.required("\(module).qzeros", of: weight)
      indices = stored["\(module).g_idx"]
      let dtypes: Set<DType> = [.i8, .i16, .i32, .u8, .u16, .u32]
      try stored.check(qweight, dtypes, of: weight)
      try stored.check(qzeros, [qweight.dtype], of: weight)
      if let indices { try stored.check(indices, [.i32], of: weight) }
      guard qweight.shape[1] == scales.shape[1] else {
        throw stored.fault(
          .shape(stored: scales.name, found: scales.shape, expected: "[groups, \(qweight.shape[1])]"), weight)
      }
      format = try Format(stored, qzeros: qzeros)
    }

    func logical() throws -> LogicalTensor {
      let (bits, inputs) = try width()
      let index = try groupIndex(inputs: inputs)
      let grouping = try grouping(inputs: inputs, index: index)
      let scale = try stored.scalarType(scales, of: weight)
      let shape = try stored.shape([outputs, inputs], of: weight)
      let codec = try stored.naming(weight) { () throws(CodecError) in
        try IntegerForm.codec(bits: bits, grouping: grouping, scale: scale, zero: .code)
      }
      var planes = try self.planes(bits: bits, inputs: inputs, scale: scale)
      var companions = [indices].compactMap { $0 }
      if case .indexed = grouping, let indices {
        planes.append(.stored(indices, .same))
        companions = []
      }
      return LogicalTensor(
        name: weight, shape: shape, codec: codec, layout: "GPTQ \(format.rawValue) \(bits)-bit", planes: planes,
        companions: companions)
    }

    private func planes(bits: Int, inputs: Int, scale: ScalarFloat) throws(LayoutError) -> [PlaneSource] {
      let (outputs, groups) = (outputs, groups)
      let change: PackedFields.Change = format != .v1 ? .none : word % bits == 0 ? .carry : .increment
      return try stored.naming(weight) { () throws(CodecError) in
        [
          .stored(
            qweight,
            .packed(
              try PackedFields(
                rows: outputs, columns: inputs, field: bits, along: .columns, order: .words, packing: format.packing,
                word: word, words: qweight.shape[0]))),
          .stored(scales, .packed(try .turned(scale, rows: outputs, columns: groups))),
          .stored(
            qzeros,
            .packed(
              try PackedFields(
                rows: outputs, columns: groups, field: 8, bits: bits, along: .rows, packing: format.packing,
                word: word, words: qzeros.shape[1], change: change))),
        ]
      }
    }

    /// Bits a code and the number of inputs: the configuration's bits where the shapes allow them, else the only ones
    /// that they do.
    private func width() throws(LayoutError) -> (bits: Int, inputs: Int) {
      let fitting = (2...8).compactMap { bits -> (Int, Int)? in
        guard let inputs = indices?.shape.first ?? qweight.shape[0].multiplied(by: word).map({ $0 / bits }),
          format.packing.words(fields: inputs, bits: bits, word: word) == qweight.shape[0], qzeros.shape.count == 2,
          format.packing.words(fields: outputs, bits: bits, word: word) == qzeros.shape[1]
        else { return nil }
        return (bits, inputs)
      }
      let configured = stored.configuration.integer("bits", "w_bit", "wbits")
      if let match = fitting.first(where: { $0.0 == configured }) { return match }
      guard let first = fitting.first, configured == nil || isMixed else {
        throw stored.fault(
          .disagreement(
            "\(configured.map { "\($0) bits" } ?? "no width"), but '\(qweight.name)' has the shape \(qweight.shape)"
              + " and '\(qzeros.name)' \(qzeros.shape)"), weight)
      }
      return first
    }

    /// GPTQModel's `dynamic` and auto-round's `extra_config` give modules widths and groups of their own.
    private var isMixed: Bool {
      ["dynamic", "extra_config"].contains { stored.configuration.quantization?[$0]?.object != nil }
    }

    /// The group of each input, where that isn't a matter of counting; nil where it is.
    private func groupIndex(inputs: Int) throws -> [Int]? {
      guard let indices else { return nil }
      try stored.check(indices, [inputs], of: weight)
      let index = try stored.integers(indices, of: weight)
      if index.allSatisfy({ $0 == 0 }) { return nil }
      guard index.allSatisfy({ (0..<groups).contains($0) }) else {
        throw stored.fault(.value("'\(indices.name)' names a group beyond the \(groups) that there are"), weight)
      }
      return index
    }

    private func grouping(inputs: Int, index: [Int]?) throws(LayoutError) -> IntegersCodec.Grouping {
      if groups == 1 { return .row }
      let configured = stored.configuration.integer("group_size", "q_group_size")
      let counted = groups > 0 && (configured == nil || index != nil || isMixed) ? inputs / groups : nil
      let sizes = [configured, index.map { $0.prefix { $0 == 0 }.count }, counted]
      for case let size? in sizes where size > 0 && inputs.dividedRoundingUp(by: size) == groups {
        if index == nil || index?.enumerated().allSatisfy({ $0.element == $0.offset / size }) == true {
          return .elements(size)
        }
      }
      guard index != nil else {
        throw stored.fault(
          .disagreement("groups of \(configured ?? 0), but \(groups) groups of \(inputs) inputs"), weight)
      }
      return .indexed(groups)
    }
  }

  /// How zero points are stored, and codes packed.
  private enum Format: String {
    /// Zero points less one.
    case v1
    case v2
    /// GPTQModel's planes, with zero points as in v2.
    case planar

    var packing: Packing { self == .planar ? .planar : .stream }

    init(_ stored: StoredTensors, qzeros: StoredTensor) throws {
      switch stored.configuration.string("checkpoint_format", "format")?.lowercased() {
      case "gptq_v2": self = .v2
      case "gptq_p": self = .planar
      case nil: self = try Self.guess(stored, qzeros)
      default: self = .v1
      }
    }

    /// Without a configuration: symmetric zero points are 8 in v2 and 7 in v1; what isn't symmetric is taken for v1,
    /// which is what most files are.
    private static func guess(_ stored: StoredTensors, _ qzeros: StoredTensor) throws -> Format {
      guard stored.configuration.method == nil else { return .v1 }
      let bytes = stored.bytes(qzeros)
      let start = try bytes.buffer(0..<min(bytes.count, 1 << 16)).withBytes { Array($0) }
      return !start.isEmpty && start.allSatisfy { $0 == 0x88 } ? .v2 : .v1
    }
  }
}
