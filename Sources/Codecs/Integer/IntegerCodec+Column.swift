/// Scales by column belong to all rows, so they are chosen from statistics of the whole tensor.
extension IntegerCodec {
  /// By column: the extremes, and for the search the errors of all divisors.
  public func passes(rule: ScaleRule) -> Int { grouping != .column ? 0 : rule == .search ? 2 : 1 }

  /// Pass 0: minus the smallest value of every column, then the largest. Pass 1: for each divisor of the grid the
  /// squared error of every column.
  public func gather(
    _ values: UnsafeBufferPointer<Float>, columns: Int, rule: ScaleRule, after previous: [TensorStatistic]
  ) throws(CodecError) -> TensorStatistic {
    guard let extremes = previous.first else { return try columnExtremes(values, columns: columns) }
    let scaling = try GroupScaling<PlainGroupKernel>(self, rule: rule)
    let range = Float(codeRange.lowerBound)...Float(codeRange.upperBound)
    var errors: [Double] = []
    for divisor in grid.divisors {
      let terms = columnTerms(extremes, columns: columns, scaling: scaling, divisor: divisor)
      let start = errors.count
      errors += terms.map { $0 == nil ? .infinity : 0 }
      for (index, value) in values.enumerated() {
        guard let terms = terms[index % columns] else { continue }
        let difference = terms.value(terms.code(value, inverse: terms.inverse, in: range)) - value
        errors[start + index % columns] += Double(difference) * Double(difference)
      }
    }
    return TensorStatistic(errors, merge: .sum)
  }

  private func columnExtremes(
    _ values: UnsafeBufferPointer<Float>, columns: Int
  ) throws(CodecError) -> TensorStatistic {
    var extremes = [Double](repeating: -.infinity, count: 2 * columns)
    for (index, value) in values.enumerated() {
      guard value.isFinite else { throw unencodable(values, index) }
      let column = index % columns
      extremes[column] = max(extremes[column], -Double(value))
      extremes[columns + column] = max(extremes[columns + column], Double(value))
    }
    return TensorStatistic(extremes, merge: .maximum)
  }

  private func columnTerms(
    _ extremes: TensorStatistic, columns: Int, scaling: GroupScaling<PlainGroupKernel>, divisor: Float
  ) -> [GroupTerms?] {
    (0..<columns).map {
      scaling.terms(low: Float(-extremes.values[$0]), high: Float(extremes.values[columns + $0]), divisor: divisor)
    }
  }

  public func encode(
    _ values: UnsafeBufferPointer<Float>, columns: Int, rule: ScaleRule, statistics: [TensorStatistic],
    into planes: [UnsafeMutableRawBufferPointer]
  ) throws(CodecError) {
    guard grouping == .column else {
      return try IntegerEncoder<VectorGroupKernel>(self, values, columns: columns, rule: rule, into: planes)
        .encode(columns: columns)
    }
    try checkPlanes(planes, elements: values.count, columns: columns)
    let terms = try chosenColumnTerms(values, columns: columns, rule: rule, statistics: statistics)
    for (column, terms) in terms.enumerated() { store(terms, in: planes, group: column) }
    planes[0].initializeMemory(as: UInt8.self, repeating: 0)
    let layout = layout(columns: columns)
    let (mask, range) = ((1 << bits) - 1, Float(codeRange.lowerBound)...Float(codeRange.upperBound))
    for row in layout.eachRow(elements: values.count, columns: columns) {
      let output = UnsafeMutableRawBufferPointer(rebasing: planes[0][row.codes])
      for (index, element) in row.elements.enumerated() {
        let terms = terms[index % columns]
        let code = Int(terms.code(values[element], inverse: terms.inverse, in: range))
        layout.put(UInt8(truncatingIfNeeded: code & mask), at: index, in: output)
      }
    }
  }

  private func chosenColumnTerms(
    _ values: UnsafeBufferPointer<Float>, columns: Int, rule: ScaleRule, statistics: [TensorStatistic]
  ) throws(CodecError) -> [GroupTerms] {
    let scaling = try GroupScaling<PlainGroupKernel>(self, rule: rule)
    guard statistics.count == passes(rule: rule), statistics[0].values.count == 2 * columns else {
      throw .descriptor("\(descriptor)", reason: "it needs statistics of all rows before it can encode")
    }
    var chosen = columnTerms(statistics[0], columns: columns, scaling: scaling, divisor: scaling.divisor)
    var least = [Double](repeating: .infinity, count: columns)
    for (index, divisor) in grid.divisors.enumerated() where rule == .search {
      let terms = columnTerms(statistics[0], columns: columns, scaling: scaling, divisor: divisor)
      let errors = statistics[1].values.dropFirst(index * columns).prefix(columns)
      for (column, error) in errors.enumerated() where error < least[column] {
        (least[column], chosen[column]) = (error, terms[column])
      }
    }
    let found = chosen.compactMap { $0 }
    guard found.count == columns else {
      throw unencodable(values, values.indices.max { values[$0].magnitude < values[$1].magnitude } ?? 0)
    }
    return found
  }
}
