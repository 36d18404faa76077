import ByteIO

/// The index of a parity file, put together from what is whole of its two copies.
struct ParityIndex {
  /// Any page: all say the same of the file.
  let first: ParityPage
  /// XXH3-128 of every block, data before parity.
  private(set) var digests: [UInt8] = []
  /// Ranges of pages that aren't whole.
  private(set) var damage: [Range<Int>] = []

  /// Throws `ParityError`: `notParity` if no page is whole, `pageLost` if neither copy of one is.
  init(_ input: InputFile) throws {
    guard let first = try Self.anyPage(of: input) else { throw ParityError(.notParity, file: input.path) }
    self.first = first
    for number in 0..<first.layout.pages {
      var page: ParityPage?
      for copy in 0...1 {
        let offset = first.layout.offset(ofPage: number, copy: copy)
        let found = try Self.page(of: input, at: offset)
        if let found, found.number == number, found.layout == first.layout, found.sha256 == first.sha256 {
          page = found
        } else {
          damage.append(offset..<offset + ParityPage.size)
        }
      }
      guard let page else { throw ParityError(.pageLost(page: number), file: input.path) }
      digests += page.digests
    }
  }

  /// The first page that is whole, from the start, or else from the end.
  private static func anyPage(of input: InputFile) throws -> ParityPage? {
    let count = input.size / ParityPage.size
    // The pages of one copy at most: those of all the blocks that there can be.
    let limit = min(count, ParityLayout.blockLimit / ParityPage.rows + 1)
    for number in 0..<limit {
      if let page = try page(of: input, at: number * ParityPage.size) { return page }
    }
    for number in 1...max(limit, 1) {
      if let page = try page(of: input, at: input.size - number * ParityPage.size) { return page }
    }
    return nil
  }

  private static func page(of input: InputFile, at offset: Int) throws -> ParityPage? {
    guard offset >= 0, offset <= input.size - ParityPage.size else { return nil }
    let bytes = try input.bytes(offset..<offset + ParityPage.size)
    do throws(ParityReason) {
      return try ParityPage(bytes)
    } catch {
      throw ParityError(error, file: input.path, offset: offset)
    }
  }
}
