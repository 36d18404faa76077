/// `CodecBenchmarks [--json] [--runs N] [DESCRIPTOR ...]`.
struct Options {
  var json = false
  var runs = 7
  var codecs: [String] = []

  init(_ arguments: [String]) {
    var rest = arguments.makeIterator()
    while let argument = rest.next() {
      switch argument {
      case "--json": json = true
      case "--runs": runs = rest.next().flatMap(Int.init) ?? runs
      default: codecs.append(argument)
      }
    }
    if codecs.isEmpty { codecs = Self.all }
  }

  static let all = [
    "mxfp4", "mxfp6e2m3", "mxfp6e3m2", "mxfp8e4m3", "mxfp8e5m2", "int2", "int3", "int4", "int4:zero=code",
    "int4:zero=F16", "int4:group=16,second=16", "int4:group=row", "int5", "int6", "int8", "nf4", "nf4:second=256",
    "fp4",
  ]
}
