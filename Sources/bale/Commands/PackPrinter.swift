import ByteIO
import Checkpoints
import Codecs
import Conversion
import JSON

/// What `bale pack` prints.
struct PackPrinter {
  let source: String
  let output: String
  let options: GlobalOptions

  func dryRun(_ plan: PackPlan, _ estimate: PackEstimate) {
    Notice.dropped(plan.dropped, options: options)
    if options.json {
      let result: JSONValue = [
        "output": .string(output), "bytes": .integer(estimate.size), "exact": .bool(estimate.isExact),
        "encodings": .array(
          rows(plan).map { row in
            [
              "role": .string(row.role), "encoding": .string(row.encoding), "tensors": .integer(row.tensors),
              "bytes": .integer(row.bytes),
            ]
          }),
      ]
      return Terminal.print(result)
    }
    guard !options.quiet else { return }
    print(table(plan, statistics: nil))
    print(
      "\n\(output) would take \(estimate.isExact ? "exactly" : "at most") \(estimate.size) bytes (\(Format.bytes(estimate.size)))"
    )
  }

  func report(
    _ report: PackReport, source checkpoint: any Checkpoint, seconds: Double, sharing: SharingSummary? = nil
  ) {
    Notice.dropped(report.plan.dropped, options: options)
    let before = checkpoint.storage.reduce(0) { $0 + $1.size }
    let after = report.written.reduce(0) { $0 + $1.size }
    if options.json {
      return Terminal.print(json(report, before: before, after: after, seconds: seconds, sharing))
    }
    guard !options.quiet else { return }
    print(table(report.plan, statistics: report.statistics, stored: report.storedBytes))
    if let sharing { print("\n" + Self.text(sharing)) }
    if let bits = report.quantizedBits {
      print("\nquantized tensors: \(Format.decimals(bits, 3)) bits a weight" + outputs(report))
    }
    let rate = Format.bytes(Int(Double(before) / max(seconds, 1e-9)))
    print("\n\(source)  \(Format.bytes(before))  ->  \(output)  \(Format.bytes(after))")
    let ratio = Double(before) / Double(max(after, 1))
    print("\(Format.significant(ratio))x smaller in \(Format.duration(seconds)), \(rate)/s")
  }

  private func outputs(_ report: PackReport) -> String {
    report.outputError.map { ", relative MSE of their outputs \(Format.error($0))" } ?? ""
  }

  private func json(
    _ report: PackReport, before: Int, after: Int, seconds: Double, _ sharing: SharingSummary?
  ) -> JSONValue {
    let files = report.written.map { file -> JSONValue in
      ["path": .string(file.path), "bytes": .integer(file.size), "root": .string(hexadecimal(file.root))]
    }
    let tensors = zip(report.plan.tensors, report.statistics).map { tensor, cost -> JSONValue in
      [
        "name": .string(tensor.name), "encoding": .string("\(tensor.codec.descriptor)"),
        "relative_mse": .real(cost.relativeMSE), "max_error": .real(cost.maximumError),
      ]
    }
    return [
      "source": .string(source), "source_bytes": .integer(before), "bytes": .integer(after),
      "weights": .integer(report.plan.tensors.reduce(0) { $0 + $1.shape.elements }),
      "relative_mse": .real(report.total.relativeMSE), "seconds": .real(seconds), "files": .array(files),
      "quantized_bits": report.quantizedBits.map { .real($0) } ?? .null,
      "output_relative_mse": report.outputError.map { .real($0) } ?? .null, "tensors": .array(tensors),
      "dropped": .array(report.plan.dropped.map { ["name": .string($0.name), "reason": .string($0.reason)] }),
      "experts": sharing?.json ?? .null,
    ]
  }

  private func table(_ plan: PackPlan, statistics: [ErrorStatistics]?, stored: [Int]? = nil) -> String {
    var table = TextTable([
      ("role", .left), ("from", .left), ("to", .left), ("tensors", .right), ("weights", .right),
      ("bits/weight", .right), ("relative MSE", .right), ("max error", .right),
    ])
    for row in rows(plan, statistics, stored) {
      table.add([
        row.role, row.from, row.encoding, "\(row.tensors)", Format.count(row.elements),
        Format.decimals(row.elements == 0 ? 0 : Double(row.bytes) * 8 / Double(row.elements), 3),
        row.isExact ? "exact" : statistics == nil ? "" : Format.error(row.cost.relativeMSE),
        row.isExact || statistics == nil ? "" : Format.error(row.cost.maximumError),
      ])
    }
    return table.text
  }

  private struct Row {
    var role: String
    var from: String
    var encoding: String
    var tensors = 0
    var elements = 0
    var bytes = 0
    var cost = ErrorStatistics()
    var isExact: Bool
  }

  private func rows(_ plan: PackPlan, _ statistics: [ErrorStatistics]? = nil, _ stored: [Int]? = nil) -> [Row] {
    var rows: [Row] = []
    for (index, tensor) in plan.tensors.enumerated() {
      let role = tensor.isShared ? "centroids" : tensor.role.word
      let (from, to) = (tensor.sourceCodec.shortName, tensor.codec.shortName)
      if !rows.contains(where: { $0.role == role && $0.from == from && $0.encoding == to }) {
        rows.append(Row(role: role, from: from, encoding: to, isExact: tensor.isExact))
      }
      guard let row = rows.firstIndex(where: { $0.role == role && $0.from == from && $0.encoding == to }) else {
        continue
      }
      rows[row].tensors += 1
      rows[row].elements += tensor.shape.elements
      rows[row].bytes += stored?[index] ?? tensor.codec.byteCount(of: tensor.shape)
      if let statistics { rows[row].cost.merge(statistics[index]) }
    }
    return rows
  }
}
