import ByteIO
import Tensors

extension MapBuilder {
  /// DeepSeek's kv_b: for each head `qk_nope_head_dim` key rows, then `v_head_dim` value rows. llama.cpp multiplies
  /// with the transposed key part, so it is stored transposed.
  mutating func addKeyValueHeads(
    _ rule: TensorRule, _ index: Int, _ name: NumberedName
  ) throws(ArchitectureError) {
    let tensor = tensors[index]
    let heads = try parameters.positive("num_key_value_heads")
    let (key, value) = (try parameters.positive("qk_nope_head_dim"), try parameters.positive("v_head_dim"))
    let rank = tensor.shape.columns
    guard tensor.shape.rank == 2, let rows = heads.multiplied(by: key + value), tensor.shape.dimensions[0] == rows
    else {
      throw .shape(
        tensor: tensor.name, found: tensor.shape, expected: "\(heads) heads of \(key) key and \(value) value rows")
    }
    let keyInput = MappedInput(
      tensor: index, rowElements: rank,
      rows: .blocks(offset: 0, length: key, stride: key + value, count: heads),
      transposed: MatrixShape(rows: key, columns: rank))
    let valueInput = MappedInput(
      tensor: index, rowElements: rank,
      rows: .blocks(offset: key, length: value, stride: key + value, count: heads))
    emit(rule, 0, name, try shape([heads, rank, key], tensor), [keyInput])
    emit(rule, 1, name, try shape([heads, value, rank], tensor), [valueInput])
  }
}
