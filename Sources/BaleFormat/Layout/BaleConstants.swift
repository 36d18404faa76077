/// The fixed numbers of the format: specs/bale.md, "Constants and limits".
public enum BaleConstants {
  public static let version: UInt32 = 1
  /// Length of the header at the start of the file.
  public static let headerLength = 128
  /// Length of the trailer at the end of the file.
  public static let trailerLength = 128
  /// Planes start at multiples of this, and appended chunks fill it with zeros.
  public static let planeAlignment = 128
  /// Expert records start and end at multiples of this.
  public static let expertAlignment = 16384
  /// Elements of a span, before it is fitted to the codec's alignment.
  public static let spanElements = 1 << 20
  /// Decoded bytes of each chunk but the last of a plane that serves a whole part, or of a file blob.
  public static let wholeChunk = 1 << 20
  /// The most bytes that a chunk may decode to: what a reader allocates at once.
  public static let maximumChunk = 1 << 26
  /// The most bytes, padding included, that a chunk may take in the file.
  public static let maximumExtent = 1 << 27
  /// The most bytes that one stored byte of a zstd frame may decode to.
  public static let maximumRatio = 1 << 16
  /// The most sections that a directory may have.
  public static let maximumSections = 256
  /// The most shards that a set may have.
  public static let maximumShards = 65535

  /// First bytes of the file. The high bit, the line ends and the end-of-file character show a transfer that took
  /// the file for text.
  static let headerMagic: [UInt8] = [0x89, 0x42, 0x41, 0x4C, 0x45, 0x0D, 0x0A, 0x1A]
  /// "BALE.END" at byte 112 of the trailer.
  static let trailerMagic = Array("BALE.END".utf8)
  /// "BALE.DIR" at the start of the directory.
  static let directoryMagic = Array("BALE.DIR".utf8)
  /// An index field that points to nothing.
  static let none = UInt32.max
}
