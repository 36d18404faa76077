import Codecs
import Conversion
import Testing

@Suite struct SpanRuleTests {
  @Test func spansAreTheLargestCommonMultipleWithinTheTarget() throws {
    let bf16 = PlainCodec(.bf16)
    #expect(SpanRule.elements([bf16, bf16], columns: 7) == 1 << 20)
    let mxfp4 = try CodecRegistry.codec("mxfp4")
    for columns in [1, 31, 32, 96, 4096, 1 << 20] {
      let span = SpanRule.elements([bf16, mxfp4], columns: columns)
      let alignment = mxfp4.alignment(columns: columns)
      #expect(span % alignment == 0 && span <= 1 << 20 && span + alignment > 1 << 20)
    }
  }

  @Test func aRowLongerThanTheTargetIsOneSpan() throws {
    let byRow = try CodecRegistry.codec("int8:group=row")
    #expect(SpanRule.elements([PlainCodec(.bf16), byRow], columns: 3 << 20) == 3 << 20)
  }

  @Test func alignmentsOfBothSidesAreKept() throws {
    let (row, f6) = (try CodecRegistry.codec("int8:group=row"), PlainCodec(.f6e2m3))
    let span = SpanRule.elements([f6, row], columns: 18)
    #expect(span % 18 == 0 && span % 4 == 0 && span <= 1 << 20 && span + 36 > 1 << 20)
  }

  @Test func columnsThatNoTensorHasDontTrap() throws {
    let byRow = try CodecRegistry.codec("int8:group=row")
    #expect(SpanRule.elements([byRow, PlainCodec(.f4)], columns: .max - 2) > 0)
    #expect(SpanRule.elements([byRow, PlainCodec(.f4)], columns: 0) > 0)
  }
}

@Suite struct SpanUnitsTests {
  @Test func unitsTileEveryRun() {
    let runs = [(10, 4), (0, 4), (4, 4), (1, 9), (0, 1), (12, 4)].map { SpanUnits.Run(elements: $0.0, span: $0.1) }
    let units = SpanUnits(runs)
    let listed = (0..<units.count).map { units[$0] }
    #expect(units.count == 3 + 1 + 1 + 1 + 1 + 3)
    for (index, run) in runs.enumerated() {
      let own = listed.filter { $0.run == index }
      #expect(own.map(\.span) == Array(own.indices))
      #expect(own.flatMap { Array($0.elements) } == Array(0..<run.elements))
      #expect(own.map(\.isLast) == own.indices.map { $0 == own.count - 1 })
    }
    #expect(listed.map(\.run) == listed.map(\.run).sorted())
  }

  @Test func aHugeRunIsCountedAndNotListed() {
    let units = SpanUnits([.init(elements: 1 << 60, span: 1 << 20), .init(elements: 5, span: 2)])
    #expect(units.count == 1 << 40 + 3)
    #expect(units[1 << 39].elements == 1 << 59..<(1 << 59 + 1 << 20))
    #expect(units[units.count - 1].elements == 4..<5)
  }

  @Test func noRunsAreNoUnits() { #expect(SpanUnits([]).count == 0) }
}
