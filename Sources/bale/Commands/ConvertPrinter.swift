import Checkpoints
import Conversion
import JSON

/// What `bale convert` prints.
struct ConvertPrinter {
  let command: Convert
  private var options: GlobalOptions { command.options }

  init(command: Convert) { self.command = command }

  func dryRun(_ plan: ConvertPlan) {
    Notice.withoutImportance(plan.withoutImportance, options: options)
    if options.json {
      let result: JSONValue = [
        "bytes": .integer(plan.size),
        "files": .array(plan.files.map { ["name": .string($0.name), "bytes": .integer($0.size)] }),
        "tensors": .array(
          plan.outputs.map { output in
            [
              "name": .string(output.name), "from": .string(output.sourceCodec.shortName),
              "to": .string(output.codec.shortName), "file": .string(plan.files[output.file].name),
              "begin": .integer(output.range.lowerBound), "end": .integer(output.range.upperBound),
            ]
          }),
      ]
      return Terminal.print(result)
    }
    guard !options.quiet else { return }
    print(table(plan, statistics: nil))
    print("")
    for file in plan.files { print("\(file.name) would take exactly \(file.size) bytes (\(Format.bytes(file.size)))") }
    Notice.dropped(plan.dropped, options: options)
  }

  func report(_ report: ConvertReport, source: any Checkpoint, seconds: Double) {
    Notice.dropped(report.plan.dropped, options: options)
    Notice.withoutImportance(report.plan.withoutImportance, options: options)
    let before = source.storage.reduce(0) { $0 + $1.size }
    if options.json {
      let result: JSONValue = [
        "source": .string(command.source), "destination": .string(command.destination),
        "source_bytes": .integer(before), "bytes": .integer(report.plan.size), "seconds": .real(seconds),
        "tensors": .integer(report.plan.outputs.count),
      ]
      return Terminal.print(result)
    }
    guard !options.quiet else { return }
    print(table(report.plan, statistics: report.statistics))
    if let relaid = source as? RelaidCheckpoint {
      print("\n\(relaid.kept) weight matrices keep their codes, \(relaid.quantized) are quantized")
    }
    print("\n\(command.source)  \(Format.bytes(before))  ->  \(command.destination)  \(Format.bytes(report.plan.size))")
    let rate = Double(max(before, report.plan.size)) / max(seconds, 1e-9)
    print("\(report.plan.outputs.count) tensors in \(Format.duration(seconds)), \(Format.bytes(Int(rate)))/s")
  }

  private func table(_ plan: ConvertPlan, statistics: [ErrorStatistics]?) -> String {
    var rows: [[String]: (tensors: Int, bytes: Int, cost: ErrorStatistics)] = [:]
    var order: [[String]] = []
    for (index, output) in plan.outputs.enumerated() {
      let key = [
        output.sourceCodec.shortName, output.codec.shortName,
        output.isQuantized ? "" : output.isDecoded ? "decoded" : "exact",
      ]
      if rows[key] == nil { order.append(key) }
      var row = rows[key] ?? (0, 0, ErrorStatistics())
      row.tensors += 1
      row.bytes += output.range.count
      if let statistics { row.cost.merge(statistics[index]) }
      rows[key] = row
    }
    var table = TextTable([
      ("from", .left), ("to", .left), ("tensors", .right), ("size", .right), ("relative MSE", .right),
    ])
    for key in order {
      guard let row = rows[key] else { continue }
      let cost = key[2].isEmpty ? (statistics == nil ? "" : Format.error(row.cost.relativeMSE)) : key[2]
      table.add([key[0], key[1], "\(row.tensors)", Format.bytes(row.bytes), cost])
    }
    return table.text
  }
}
