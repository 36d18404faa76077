import Codecs
import GGUF
import Tensors
import TestSupport
import Testing

/// Random metadata and tensors: planned, read, equal; planned again, the same bytes.
@Suite struct RoundTripTests {
  @Test(arguments: 0..<200) func randomHeaders(seed: Int) throws {
    var random = SplitMix64(seed: UInt64(seed))
    var metadata = GGUFMetadata()
    for index in 0..<Int.random(in: 0...12, using: &random) {
      metadata["key.\(index)"] = value(&random, levels: 3)
    }
    let tensors = try (0..<Int.random(in: 0...12, using: &random)).map { try tensor($0, &random) }
    let alignment = 1 << Int.random(in: 0...9, using: &random)

    let plan = try GGUFHeader.plan(metadata: metadata, tensors: tensors, alignment: alignment, nestedArrays: true)
    let header = try GGUFHeader(parsing: file(plan), path: "x")
    #expect(header.tensors == plan.tensors)
    #expect(header.dataStart == plan.header.count)
    for entry in metadata.entries { #expect(header.metadata[entry.key] == entry.value) }

    let again = try GGUFHeader.plan(
      metadata: header.metadata, tensors: header.tensors.map(\.info), nestedArrays: true)
    #expect(again.header == plan.header)
  }

  private func tensor(_ index: Int, _ random: inout SplitMix64) throws -> GGUFTensorInfo {
    let type = GGMLType.allCases.randomElement(using: &random) ?? .f32
    var dimensions = (0..<Int.random(in: 0...3, using: &random)).map { _ in Int.random(in: 0...3, using: &random) }
    if !dimensions.isEmpty || type.blockElements > 1 {
      dimensions.append(type.blockElements * Int.random(in: 0...3, using: &random))
    }
    return GGUFTensorInfo(name: "t.\(index)", type: type, shape: try #require(Shape(dimensions)))
  }

  private func value(_ random: inout SplitMix64, levels: Int) -> GGUFValue {
    switch Int.random(in: 0...12, using: &random) {
    case 0: .uint8(.random(in: 0 ... .max, using: &random))
    case 1: .int8(.random(in: .min ... .max, using: &random))
    case 2: .uint16(.random(in: 0 ... .max, using: &random))
    case 3: .int16(.random(in: .min ... .max, using: &random))
    case 4: .uint32(.random(in: 0 ... .max, using: &random))
    case 5: .int32(.random(in: .min ... .max, using: &random))
    case 6: .float32(Float(bitPattern: .random(in: 0 ... .max, using: &random)))
    case 7: .bool(.random(using: &random))
    case 8: .string(GGUFString(bytes: bytes(&random)))
    case 9: .uint64(.random(in: 0 ... .max, using: &random))
    case 10: .int64(.random(in: .min ... .max, using: &random))
    case 11: .float64(Double(bitPattern: .random(in: 0 ... .max, using: &random)))
    default: .array(array(&random, levels: levels))
    }
  }

  private func array(_ random: inout SplitMix64, levels: Int) -> GGUFArray {
    let count = Int.random(in: 0...5, using: &random)
    switch Int.random(in: 0...(levels > 1 ? 12 : 11), using: &random) {
    case 0: return .uint8((0..<count).map { _ in .random(in: 0 ... .max, using: &random) })
    case 1: return .int8((0..<count).map { _ in .random(in: .min ... .max, using: &random) })
    case 2: return .uint16((0..<count).map { _ in .random(in: 0 ... .max, using: &random) })
    case 3: return .int16((0..<count).map { _ in .random(in: .min ... .max, using: &random) })
    case 4: return .uint32((0..<count).map { _ in .random(in: 0 ... .max, using: &random) })
    case 5: return .int32((0..<count).map { _ in .random(in: .min ... .max, using: &random) })
    case 6: return .float32((0..<count).map { _ in Float(bitPattern: .random(in: 0 ... .max, using: &random)) })
    case 7: return .bool((0..<count).map { _ in .random(using: &random) })
    case 8: return .uint64((0..<count).map { _ in .random(in: 0 ... .max, using: &random) })
    case 9: return .int64((0..<count).map { _ in .random(in: .min ... .max, using: &random) })
    case 10: return .float64((0..<count).map { _ in Double(bitPattern: .random(in: 0 ... .max, using: &random)) })
    case 11:
      var strings = GGUFStrings()
      for _ in 0..<count { strings.append(utf8: bytes(&random)) }
      return .string(strings)
    default: return .array((0..<count).map { _ in array(&random, levels: levels - 1) })
    }
  }

  private func bytes(_ random: inout SplitMix64) -> [UInt8] {
    (0..<Int.random(in: 0...20, using: &random)).map { _ in .random(in: 0 ... .max, using: &random) }
  }
}
