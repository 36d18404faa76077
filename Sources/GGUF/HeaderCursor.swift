import ByteIO

/// Reads a header front to back through a window of the file, so that a header of any length takes the memory of its
/// values and no more, and the tensor data is never touched. Every read is checked against the end of the file.
struct HeaderCursor: ~Copyable {
  typealias Source = (_ offset: Int, _ target: UnsafeMutableRawBufferPointer) throws -> Void

  private static let windowBytes = 256 << 10

  let path: String
  /// Bytes of the whole file.
  let size: Int
  /// True once the version field has shown the file to be big-endian.
  var isBigEndian = false
  /// The key whose value is being read, and the tensor whose info is: errors name them.
  var key: String?
  var tensor: String?
  private let source: Source
  private let window: UnsafeMutableRawBufferPointer
  /// Offset in the file of the window's first byte.
  private var windowStart = 0
  /// Bytes of the window that are filled, and that are read.
  private var filled = 0
  private var next = 0

  init(path: String, size: Int, source: @escaping Source) {
    self.path = path
    self.size = size
    self.source = source
    window = .allocate(byteCount: min(Self.windowBytes, max(size, 1)), alignment: 16)
  }

  deinit { window.deallocate() }

  /// Offset in the file of the next byte.
  var position: Int { windowStart + next }

  /// Bytes from here to the end of the file.
  var left: Int { size - position }

  /// An integer in the byte order of the file.
  mutating func integer<T: FixedWidthInteger>(_ field: StaticString, as _: T.Type = T.self) throws -> T {
    let bytes = MemoryLayout<T>.size
    if filled - next < bytes { try refill(bytes, field) }
    let raw = window.loadUnaligned(fromByteOffset: next, as: T.self)
    next += bytes
    return isBigEndian ? T(bigEndian: raw) : T(littleEndian: raw)
  }

  /// The next `count` bytes.
  mutating func bytes(_ count: Int, _ field: StaticString) throws -> [UInt8] {
    try numbers(count, field)
  }

  /// The next `count` numbers, in the byte order of this machine.
  mutating func numbers<T: BitwiseCopyable>(_ count: Int, _ field: StaticString) throws -> [T] {
    let bytes = count.multiplied(by: MemoryLayout<T>.size) ?? .max
    try require(bytes, field)
    return try [T](unsafeUninitializedCapacity: count) { buffer, initialized in
      let raw = UnsafeMutableRawBufferPointer(rebasing: UnsafeMutableRawBufferPointer(buffer)[..<bytes])
      try copy(into: raw)
      if isBigEndian != Self.hostIsBigEndian { Self.reverse(raw, width: MemoryLayout<T>.size) }
      initialized = count
    }
  }

  /// Appends the next `count` bytes to `strings` as a string.
  mutating func append(_ count: Int, to strings: inout GGUFStrings) throws {
    if filled - next < count {
      let bytes = try bytes(count, "the string")
      strings.append(utf8: bytes)
    } else {
      strings.append(raw: UnsafeRawBufferPointer(rebasing: window[next..<next + count]))
      next += count
    }
  }

  func fail(_ reason: GGUFReason, at offset: Int) -> GGUFError {
    GGUFError(reason, file: path, tensor: tensor, offset: offset)
  }

  /// What an error calls a field: with its key, if it belongs to one.
  func name(_ field: StaticString) -> String { key.map { "\(field) of '\($0)'" } ?? "\(field)" }

  /// Throws unless `count` bytes are left, in the file and under the limit of a header.
  func require(_ count: Int, _ field: StaticString) throws(GGUFError) {
    guard count <= left else {
      throw fail(.truncated(field: name(field), needs: count, left: left), at: position)
    }
    guard count <= GGUFLimits.headerBytes - position else {
      throw fail(.headerTooLong(limit: GGUFLimits.headerBytes), at: position)
    }
  }

  /// Moves the window to the position and fills it; `count`, a few bytes, will be there.
  private mutating func refill(_ count: Int, _ field: StaticString) throws {
    try require(count, field)
    windowStart = position
    next = 0
    filled = 0
    let bytes = min(window.count, size - windowStart)
    try source(windowStart, UnsafeMutableRawBufferPointer(rebasing: window[..<bytes]))
    filled = bytes
  }

  /// Copies what the window has, and reads the rest straight into `target`.
  private mutating func copy(into target: UnsafeMutableRawBufferPointer) throws {
    let ready = min(target.count, filled - next)
    target.copyMemory(from: UnsafeRawBufferPointer(rebasing: window[next..<next + ready]))
    next += ready
    guard ready < target.count else { return }
    let rest = UnsafeMutableRawBufferPointer(rebasing: target[ready...])
    try source(position, rest)
    windowStart = position + rest.count
    next = 0
    filled = 0
  }

  private static let hostIsBigEndian = 1.bigEndian == 1

  /// Reverses the bytes of each number.
  private static func reverse(_ raw: UnsafeMutableRawBufferPointer, width: Int) {
    guard width > 1 else { return }
    for start in stride(from: 0, to: raw.count, by: width) { raw[start..<start + width].reverse() }
  }
}
