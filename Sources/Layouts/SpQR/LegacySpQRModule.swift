import ByteIO
import Codecs
import Tensors

/// A linear weight as SpQR's quantizer saves it (github.com/Vahe1994/SpQR, `--save`): one file of `torch.save`, with
/// codes of int8 in the order in which columns were quantized, lists of statistics with an entry for each group of
/// columns, and outliers in coordinates. Its loader computes in the dtype of the second-level statistics, F16, and
/// lets an outlier that isn't 0 replace the dense value.
struct LegacySpQRModule: Sendable {
  let rows: Int
  let columns: Int
  let codec: SpQRCodec
  private let archive: TorchArchive
  /// The statistics, by their place in `lists` and then by groups of columns.
  private let statistics: [[PickleValue]]

  private static let lists = [
    "quant_layer_scale", "quant_layer_zeros", "quant_layer_scale_qq_scale", "quant_layer_scale_qq_zero",
    "quant_layer_zero_qq_scale", "quant_layer_zero_qq_zero",
  ]

  /// Reads sides and geometry, and no weight. Throws `TorchError` naming what is missing or can't be represented.
  init(_ path: String, bits: Int) throws {
    let archive = try TorchArchive(path)
    func fault(_ text: String) -> TorchError { TorchError(.value(text), file: path) }
    guard let codes = archive.content["quant_weights"]?.tensor, codes.shape.count == 2, codes.count ?? 0 > 0,
      let group = archive.content["groupsize"]?.integer, group > 0, archive.content["keep_last_columns"]?.integer == 0
    else { throw fault("it has no codes in groups, or columns that were kept") }
    // What is made later has the size of what is there.
    _ = try archive.bytes(of: codes)
    (rows, columns) = (codes.shape[0], codes.shape[1])
    guard columns % group == 0, let first = archive.content[Self.lists[2]]?.items?.first?.tensor, first.dtype == .f16,
      let tiles = first.count, tiles > 0, rows % tiles == 0
    else { throw fault("its scales aren't quantized in whole tiles with statistics of F16") }
    let groups = columns / group
    statistics = try Self.lists.map { name in
      guard let list = archive.content[name]?.items, list.count == groups else {
        throw TorchError(.missing("\(name) of \(groups) groups"), file: path)
      }
      return list
    }
    self.archive = archive
    do {
      codec = try SpQRCodec(
        dense: BilevelCodec(bits: bits, tileRows: rows / tiles, tileColumns: group, arithmetic: .f16),
        outliers: .f16, combine: .replace, columnOrder: .permuted)
    } catch {
      throw fault("\(error)")
    }
  }

  /// The weight. Throws `TorchError` or `IOError`.
  func span() throws -> SpQRMatrix {
    var dense = BilevelMatrix(rows: rows, columns: columns, codec: codec.dense)
    dense.codes = try numbers(archive.content["quant_weights"], UInt8.self, [.i8, .u8], count: rows * columns)
    let groups = columns / codec.dense.tileColumns
    for group in 0..<groups {
      let scales = try entries(0, group, UInt8.self, count: rows)
      let zeros = try entries(1, group, UInt8.self, count: rows)
      for row in 0..<rows {
        dense.scaleCodes[row * groups + group] = scales[row]
        dense.zeroCodes[row * groups + group] = zeros[row]
      }
      for (slot, list) in [2, 3, 4, 5].enumerated() {
        let statistics = try entries(list, group, UInt16.self, count: rows / codec.dense.tileRows)
        for (tile, bits) in statistics.enumerated() { dense.statistics[4 * (tile * groups + group) + slot] = bits }
      }
    }
    let permutation = try columnOrder()
    let span = SpQRMatrix(dense: dense, outliers: try outliers(), permutation: permutation)
    do {
      // Packing checks that codes fit their width.
      _ = try codec.dense.pack(dense)
      return span
    } catch {
      throw TorchError(.value("\(error)"), file: archive.file.path)
    }
  }

  private func columnOrder() throws -> [Int] {
    let order: [Int]
    switch archive.content["perm"]?.tensor?.dtype {
    case .i64: order = try numbers(archive.content["perm"], Int64.self, [.i64], count: columns).map { Int($0) }
    default: order = try numbers(archive.content["perm"], Int32.self, [.i32], count: columns).map { Int($0) }
    }
    guard Set(order).count == columns, order.allSatisfy((0..<columns).contains) else {
      throw TorchError(.value("'perm' is no order of \(columns) columns"), file: archive.file.path)
    }
    return order
  }

  /// Those that aren't 0: the loader knows no others.
  private func outliers() throws -> [Outlier] {
    guard case .sparse(let indices, let values, let shape)? = archive.content["outliers_matrix"],
      shape == [rows, columns], let count = values.count, let coordinates = count.multiplied(by: 2)
    else { throw TorchError(.missing("outliers_matrix of \(rows) by \(columns)"), file: archive.file.path) }
    let places = try numbers(.tensor(indices), Int64.self, [.i64], count: coordinates)
    let bits = try numbers(.tensor(values), UInt16.self, [.f16], count: count)
    var outliers: [Outlier] = []
    for index in 0..<count where bits[index] & 0x7FFF != 0 {
      let (row, column) = (places[index], places[count + index])
      guard (0..<Int64(rows)).contains(row), (0..<Int64(columns)).contains(column) else {
        throw TorchError(.value("an outlier in row \(row), column \(column)"), file: archive.file.path)
      }
      outliers.append(Outlier(position: Int(row) * columns + Int(column), bits: bits[index]))
    }
    return outliers.sorted { $0.position < $1.position }
  }

  private func entries<Number: FixedWidthInteger & BitwiseCopyable>(
    _ list: Int, _ group: Int, _ type: Number.Type, count: Int
  ) throws -> [Number] {
    let dtypes: [DType] = Number.bitWidth == 8 ? [.i8, .u8] : [.f16]
    return try numbers(statistics[list][group], type, dtypes, count: count)
  }

  /// The numbers of a tensor. Throws `TorchError` if it isn't there, or has another dtype or length.
  private func numbers<Number: FixedWidthInteger & BitwiseCopyable>(
    _ value: PickleValue?, _ type: Number.Type, _ dtypes: [DType], count: Int
  ) throws -> [Number] {
    guard let tensor = value?.tensor, dtypes.contains(tensor.dtype), tensor.count == count else {
      let names = dtypes.map(\.rawValue).joined(separator: " or ")
      throw TorchError(.value("a tensor that should have \(count) \(names)"), file: archive.file.path)
    }
    let bytes = try archive.file.bytes(archive.bytes(of: tensor))
    return bytes.withUnsafeBytes { bytes in
      (0..<count).map { Number(littleEndian: bytes.loadUnaligned(fromByteOffset: $0 * Number.bitWidth / 8, as: type)) }
    }
  }
}
