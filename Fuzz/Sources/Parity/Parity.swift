import ByteIO
import FuzzSupport
import Parity

/// A parity file, as it is and with the digests of its pages made right, beside a file that it may belong to.
/// libFuzzer's entry.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  let bytes = fuzzInput(data, count)
  let resources = ParityResources(threads: 1, memory: 8 << 20) { _, _ in }
  for file in [bytes, sealed(bytes)] {
    _ = fuzzFile("model", [UInt8](repeating: 7, count: 300))
    let path = fuzzFile("model.parity", file) + "/model"
    guard let job = try? RepairJob(path, parity: path + ".parity", resources: resources) else { continue }
    try? job.confirmIntact()
    if job.plan.canRestore, job.plan.expectedSize <= 1 << 20 { try? job.run(to: path + ".repaired", overwrite: true) }
  }
  return 0
}

/// Each page of 4096 bytes ends with the XXH3-64 of the rest of it (specs/parity.md).
private func sealed(_ bytes: [UInt8]) -> [UInt8] {
  var bytes = bytes
  for start in stride(from: 0, to: bytes.count - 4095, by: 4096) {
    let digest = XXH3.digest64(Array(bytes[start..<start + 4088]))
    for index in 0..<8 { bytes[start + 4088 + index] = UInt8(truncatingIfNeeded: digest >> (8 * UInt64(index))) }
  }
  return bytes
}
