extension IntegersCodec {
  public func decodeReference(
    _ input: EncodedSpan, into output: UnsafeMutableBufferPointer<Float>
  ) throws(CodecError) {
    try checkPlanes(input, room: output.count)
    let index = try columnGroups(input)
    let rows = PackedRows(group: max(input.columns, 1), bits: min(bits, 8))
    for element in 0..<input.elements {
      let row = input.columns == 0 ? 0 : element / input.columns
      let column = element - row * input.columns
      let start = isOneStream ? 0 : row * rowBytes(input.columns)
      let codes = UnsafeRawBufferPointer(rebasing: input.planes[0][start...])
      let position = isOneStream ? element : column
      let code = isWide ? Self.wide(codes, position, bits) : UInt32(rows.code(position, in: codes))
      let group = group(element, row: row, column: column, columns: input.columns, index)
      output[element] = value(code, try scale(group, input.planes), zero(group, input.planes))
      if let factors { output[element] *= factors.load(input.planes[2], column) }
    }
  }

  public func decode(_ input: EncodedSpan, into output: UnsafeMutableBufferPointer<Float>) throws(CodecError) {
    try checkPlanes(input, room: output.count)
    let index = try columnGroups(input)
    let count = input.planes[1].count / scale.bytes
    let scales = try terms(count) { (group) throws(CodecError) in try scale(group, input.planes) }
    let zeros = try terms(zero == .none ? 0 : count) { (group) throws(CodecError) in zero(group, input.planes) }
    let columnFactors = factors.map { type in (0..<input.columns).map { type.load(input.planes[2], $0) } } ?? []
    guard let codes = input.planes[0].baseAddress?.assumingMemoryBound(to: UInt8.self) else { return }
    var element = 0
    while element < input.elements {
      let row = isOneStream ? 0 : element / input.columns
      let end = isOneStream ? input.elements : element + input.columns
      let start = codes + (isOneStream ? 0 : row * rowBytes(input.columns))
      decodeRow(
        start, element..<end, into: output, scales, zeros
      ) { group($0, row: row, column: $0 - element, columns: input.columns, index) }
      for column in columnFactors.indices { output[element + column] *= columnFactors[column] }
      element = end
    }
  }

  /// A code of 16 or 32 bits.
  @inline(__always)
  private static func wide(_ codes: UnsafeRawBufferPointer, _ index: Int, _ bits: Int) -> UInt32 {
    if bits == 16 {
      return UInt32(UInt16(littleEndian: codes.loadUnaligned(fromByteOffset: index * 2, as: UInt16.self)))
    }
    return UInt32(littleEndian: codes.loadUnaligned(fromByteOffset: index * 4, as: UInt32.self))
  }

  /// Codes that follow one another from a byte on.
  @inline(__always)
  private func decodeRow(
    _ codes: UnsafePointer<UInt8>, _ elements: Range<Int>, into output: UnsafeMutableBufferPointer<Float>,
    _ scales: [Float], _ zeros: [Float], group: (Int) -> Int
  ) {
    let bits = bits
    if isWide {
      let bytes = UnsafeRawBufferPointer(start: codes, count: elements.count * bits / 8)
      for element in elements {
        let group = group(element)
        let code = Self.wide(bytes, element - elements.lowerBound, bits)
        output[element] = value(code, scales[group], zeros.isEmpty ? 0 : zeros[group])
      }
      return
    }
    let mask = (1 << UInt32(bits)) - 1 as UInt32
    var bit = 0
    for element in elements {
      var window = UInt32(codes[bit >> 3])
      if bit & 7 + bits > 8 { window |= UInt32(codes[bit >> 3 + 1]) << 8 }
      let code = window >> UInt32(bit & 7) & mask
      let group = group(element)
      output[element] = value(code, scales[group], zeros.isEmpty ? 0 : zeros[group])
      bit += bits
    }
  }

  private func terms(
    _ count: Int, _ term: (Int) throws(CodecError) -> Float
  ) throws(CodecError) -> [Float] {
    var terms: [Float] = []
    terms.reserveCapacity(count)
    for index in 0..<count { terms.append(try term(index)) }
    return terms
  }

  /// Each operation rounded to F32.
  @inline(__always)
  private func value(_ code: UInt32, _ scale: Float, _ zero: Float) -> Float {
    switch self.zero {
    case .none where self.code == .e2m1: Self.float4(code) * scale * unit
    case .none: signed(code) * scale * unit
    case .code, .point: (Float(code) - zero) * scale
    case .bias where isStepped: self.scale.rounded(self.scale.rounded(Float(code) * scale) + zero)
    case .bias: Float(code) * scale + zero
    }
  }

  @inline(__always)
  private func signed(_ code: UInt32) -> Float {
    let spare = UInt32(32 - bits)
    return Float(Int32(bitPattern: code << spare) >> Int32(spare))
  }

  /// 0, 0.5, 1, 1.5, 2, 3, 4, 6 and their negatives.
  @inline(__always)
  private static func float4(_ code: UInt32) -> Float {
    let magnitude = code & 7
    let value = magnitude < 2 ? Float(magnitude) / 2 : Float(2 + magnitude & 1) * Float(1 << (magnitude >> 1)) / 4
    return code & 8 == 0 ? value : -value
  }

  /// 1 where a scale stands for one code.
  @inline(__always)
  private var unit: Float { 1 / Float(over) }

  private var isOneStream: Bool {
    switch grouping {
    case .flat, .strided: true
    default: false
    }
  }

  @inline(__always)
  private func group(_ element: Int, row: Int, column: Int, columns: Int, _ index: [Int]) -> Int {
    switch grouping {
    case .elements(let count): row * ((columns + count - 1) / count) + column / count
    case .rows(let count): row / count * columns + column
    case .row: row
    case .indexed(let count): row * count + index[column]
    case .flat(let count): element / count
    case .strided(let count): element % count
    case .tensor: 0
    }
  }

  /// The group of each column; empty where no plane names it. Throws if one is beyond those that there are.
  private func columnGroups(_ input: EncodedSpan) throws(CodecError) -> [Int] {
    guard case .indexed(let count) = grouping, let plane = input.planes.last else { return [] }
    var index: [Int] = []
    for column in 0..<input.columns {
      let group = Int(UInt32(littleEndian: plane.loadUnaligned(fromByteOffset: column * 4, as: UInt32.self)))
      guard group < count else {
        throw .value(
          codec: "\(descriptor)", plane: .permutation, offset: column * 4, reason: "there is no group \(group)")
      }
      index.append(group)
    }
    return index
  }

  private func scale(_ group: Int, _ planes: [UnsafeRawBufferPointer]) throws(CodecError) -> Float {
    let value = scale.load(planes[1], group)
    guard value.isFinite else {
      throw .value(
        codec: "\(descriptor)", plane: .scales, offset: group * scale.bytes, reason: "it is a scale that is not finite")
    }
    return value
  }

  /// A zero point that isn't finite gives values that aren't.
  private func zero(_ group: Int, _ planes: [UnsafeRawBufferPointer]) -> Float {
    switch zero {
    case .none: 0
    case .code: Float(planes[2][group])
    case .point(let type), .bias(let type): type.load(planes[2], group)
    }
  }
}
