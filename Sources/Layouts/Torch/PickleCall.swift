import Tensors

/// The calls that `torch.save` writes, by what they mean.
enum PickleCall {
  /// Storages by the name of their class.
  static let storages: [String: DType] = [
    "torch.FloatStorage": .f32, "torch.HalfStorage": .f16, "torch.BFloat16Storage": .bf16, "torch.DoubleStorage": .f64,
    "torch.CharStorage": .i8, "torch.ByteStorage": .u8, "torch.ShortStorage": .i16, "torch.IntStorage": .i32,
    "torch.LongStorage": .i64, "torch.BoolStorage": .bool,
  ]

  /// Throws `TorchReason.pickle` for any other call.
  static func result(of function: PickleValue, _ arguments: PickleValue) throws(TorchReason) -> PickleValue {
    guard case .global(let name) = function, let arguments = arguments.items else {
      throw .pickle("it calls what is no known function")
    }
    switch name {
    case "collections.OrderedDict" where arguments.isEmpty: return .dictionary([])
    case "torch.Size" where arguments.count == 1: return arguments[0]
    case "torch.serialization._get_layout" where arguments.count == 1: return arguments[0]
    case "torch._utils._rebuild_parameter" where arguments.count >= 1: return arguments[0]
    case "torch._utils._rebuild_tensor_v2" where arguments.count >= 4: return .tensor(try tensor(arguments))
    case "torch._utils._rebuild_sparse_tensor" where arguments.count == 2:
      return try sparse(layout: arguments[0], arguments[1].items ?? [])
    default: throw .pickle("it calls '\(name)'")
    }
  }

  /// (storage, offset, shape, strides, ...)
  private static func tensor(_ arguments: [PickleValue]) throws(TorchReason) -> TorchTensor {
    guard case .storage(let dtype, let key) = arguments[0], let offset = arguments[1].integer, offset >= 0,
      let shape = integers(arguments[2]), let strides = integers(arguments[3])
    else { throw .pickle("a tensor without a storage, a shape or strides") }
    return TorchTensor(dtype: dtype, key: key, offset: offset, shape: shape, strides: strides)
  }

  /// (indices, values, shape, ...)
  private static func sparse(layout: PickleValue, _ data: [PickleValue]) throws(TorchReason) -> PickleValue {
    guard case .string("torch.sparse_coo") = layout, data.count >= 3, let indices = data[0].tensor,
      let values = data[1].tensor, let shape = integers(data[2])
    else { throw .pickle("a sparse tensor that isn't one of coordinates") }
    return .sparse(indices: indices, values: values, shape: shape)
  }

  private static func integers(_ value: PickleValue) -> [Int]? {
    let items = value.items ?? []
    let numbers = items.compactMap(\.integer)
    return value.items == nil || numbers.count != items.count ? nil : numbers
  }
}
