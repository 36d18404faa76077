import ByteIO
import JSON
import Tensors

/// zipnn of PyPI, run by the Python that has it, on a file of raw elements.
struct ZipNN {
  let python: String
  let directory: String

  private static let program = """
    import json, sys, time
    from zipnn import ZipNN
    path, dtype, threads, runs, output = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), sys.argv[5]
    data = open(path, "rb").read()
    packer = ZipNN(input_format="byte", bytearray_dtype=dtype, threads=threads)
    times = [[], []]
    for run in range(runs + 1):
        source = bytearray(data)
        start = time.perf_counter()
        packed = packer.compress(source)
        middle = time.perf_counter()
        back = packer.decompress(packed)
        end = time.perf_counter()
        assert run > 0 or bytes(back) == data
        times[0].append(middle - start)
        times[1].append(end - middle)
    json.dump([len(packed), *(int(1e9 * min(part)) for part in times)], open(output, "w"))
    """

  func measure(_ file: String, _ dtype: DType, _ threads: Int, runs: Int) throws -> LosslessRates {
    let output = Path.join(directory, "zipnn.json")
    defer { Path.remove(output) }
    let names: [DType: String] = [.bf16: "bfloat16", .f16: "float16", .f32: "float32"]
    _ = try Child([python, "-c", Self.program, file, names[dtype] ?? "", "\(threads)", "\(runs)", output])
    let (result, source) = (try InputFile(output), try InputFile(file))
    let figures = try JSONValue(parsing: result.bytes(0..<result.size)).array?.compactMap(\.int) ?? []
    guard figures.count == 3 else { throw IOError("read", path: output, code: 0) }
    let size = Double(source.size)
    return LosslessRates(
      ratio: size / Double(figures[0]), compress: size / Double(figures[1]), decompress: size / Double(figures[2]))
  }
}
