/// Makes a file of `torch.save` out of a pickle and of bytes that all storages share, so that a mutation gets past the
/// archive's offsets to what it describes.
public enum TorchZip {
  /// Storages are named by small numbers.
  private static let storages = 20

  public static func archive(pickle: [UInt8], storage: [UInt8]) -> [UInt8] {
    var file: [UInt8] = []
    let pickleStart = file.count
    file += local(pickle)
    let storageStart = file.count
    file += local(storage)
    let directory = file.count
    file += entry("m/data.pkl", pickle.count, at: pickleStart)
    for index in 0..<storages { file += entry("m/data/\(index)", storage.count, at: storageStart) }
    let end = file.count
    file += little(0x0605_4B50, 4) + little(0, 4) + little(storages + 1, 2) + little(storages + 1, 2)
    file += little(end - directory, 4) + little(directory, 4) + little(0, 2)
    return file
  }

  /// A local header without a name, and the bytes.
  private static func local(_ bytes: [UInt8]) -> [UInt8] { little(0x0403_4B50, 4) + little(0, 26) + bytes }

  private static func entry(_ name: String, _ size: Int, at offset: Int) -> [UInt8] {
    little(0x0201_4B50, 4) + little(0, 16) + little(size, 4) + little(size, 4) + little(name.utf8.count, 2)
      + little(0, 12) + little(offset, 4) + Array(name.utf8)
  }

  private static func little(_ value: Int, _ count: Int) -> [UInt8] {
    (0..<count).map { $0 < 8 ? UInt8(truncatingIfNeeded: value >> (8 * $0)) : 0 }
  }
}
