/// The rule `search`: of several ways to encode a block, the compatible one first, the one that decodes with the least
/// squared error, weighted by importance where there is one (specs/codecs/ggml.md, section 9).
struct BlockSearch: Sendable {
  var type: GGMLType
  /// Either encoder of the type.
  var encoder: BlockEncoder
  var decoder: BlockDecoder

  func encode(_ values: BlockInput, _ importance: BlockImportance?, _ block: BlockBytes) {
    withUnsafeTemporaryAllocation(byteCount: type.blockBytes, alignment: 4) { candidate in
      var least = Float.infinity
      func offer() {
        let error = error(UnsafeRawBufferPointer(candidate), values, importance)
        guard error < least else { return }
        least = error
        block.copyMemory(from: UnsafeRawBufferPointer(candidate))
      }
      encoder(values, nil, candidate)
      offer()
      trials(values, importance, candidate, offer)
      if least == .infinity { encoder(values, nil, block) }
    }
  }

  private func error(_ block: UnsafeRawBufferPointer, _ values: BlockInput, _ importance: BlockImportance?) -> Float {
    withUnsafeTemporaryAllocation(of: Float.self, capacity: type.blockElements) { decoded in
      decoder(block, decoded)
      return values.indices.reduce(0) { error, index in
        let difference = decoded[index] - values[index]
        return error + (importance?.weights[index] ?? 1) * difference * difference
      }
    }
  }

  private func trials(
    _ values: BlockInput, _ importance: BlockImportance?, _ candidate: BlockBytes, _ offer: () -> Void
  ) {
    switch type {
    case .q8_0:
      for trial in -2...30 {
        LegacyQuants.encodeQ8_0(values, scale: values.peak.magnitude / (127 - Float(trial) / 4), candidate)
        offer()
      }
    case .mxfp4:
      let byte = FloatQuants.scaleByteMXFP4(values.peak.magnitude)
      for byte in [byte &- 1, byte &+ 1] where (1...253).contains(byte) {
        FloatQuants.encodeMXFP4(values, scale: byte, candidate)
        offer()
      }
    default: weightedTrials(values, importance, candidate, offer)
    }
  }

  /// The searches that an importance starts: with that of the caller, or 1 for all, and with what makes their weights
  /// equal to it.
  private func weightedTrials(
    _ values: BlockInput, _ importance: BlockImportance?, _ candidate: BlockBytes, _ offer: () -> Void
  ) {
    let energy = values.energy / Float(values.count)
    guard energy.isNormal else { return }
    withUnsafeTemporaryAllocation(of: Float.self, capacity: values.count) { weights in
      for isFlat in [false, true] {
        for index in values.indices {
          let spread = isFlat ? (energyFactor * energy + values[index] * values[index]).squareRoot() : 1
          weights[index] = (importance?.weights[index] ?? 1) / spread
        }
        let trial = BlockImportance(weights: UnsafeBufferPointer(weights), rowEnergy: energy)
        encoder(values, trial, candidate)
        offer()
      }
    }
  }

  /// How many mean squares of the block the weights of a search have under the root.
  private var energyFactor: Float {
    switch type {
    case .q3_K, .q4_K, .q5_K, .iq4_nl, .iq4_xs: 2
    default: 1
    }
  }
}
