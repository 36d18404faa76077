import Tensors

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// The number of a model's parameters, told apart as the converter tells them.
struct ParameterCount {
  var total = 0
  /// Parameters outside stacked experts, and those of one expert.
  var shared = 0
  var oneExpert = 0
  /// Mean number of experts of the stacked tensors.
  var experts = 0

  init(_ tensors: [GGUFMappedTensor]) {
    var (sum, stacks) = (0, 0)
    for tensor in tensors {
      let size = tensor.shape.elements
      total &+= size
      let dimensions = tensor.shape.dimensions
      guard tensor.name.contains("_exps."), dimensions.count >= 3 else {
        shared &+= size
        continue
      }
      let count = dimensions[dimensions.count - (tensor.name.contains(".bias") ? 2 : 3)]
      guard count > 0 else { continue }
      oneExpert &+= size / count
      sum &+= count
      stacks += 1
    }
    experts = stacks > 0 ? sum / stacks : 0
  }

  /// `general.size_label`, such as "8x7B".
  var label: String {
    experts > 0 ? "\(experts)x\(Self.rounded(shared &+ oneExpert))" : Self.rounded(total)
  }

  /// A count with its unit and at least two digits, where it has them.
  static func rounded(_ count: Int) -> String {
    let value = Double(count)
    let (scaled, unit) =
      value > 1e12
      ? (value * 1e-12, "T")
      : value > 1e9
        ? (value * 1e-9, "B")
        : value > 1e6
          ? (value * 1e-6, "M")
          : (value * 1e-3, "K")
    let whole = Int(scaled.rounded(.toNearestOrEven))
    let digits = whole == 0 ? 0 : String(whole).count
    return decimal(scaled, places: max(2 - digits, 0)) + unit
  }

  /// A number in decimal, correctly rounded.
  private static func decimal(_ value: Double, places: Int) -> String {
    var buffer = [CChar](repeating: 0, count: 64)
    let length = withVaList([Int32(places), value]) { vsnprintf(&buffer, buffer.count, "%.*f", $0) }
    return String(
      decoding: buffer.prefix(max(0, min(Int(length), buffer.count - 1))).map(UInt8.init(bitPattern:)), as: UTF8.self)
  }
}
