/// The factors of which parity is made: parity block j is the sum over data blocks i of 1 / (x(j) + y(i)) times block
/// i, with x(j) = 65535 - j and y(i) = i. Every square part of such a matrix has an inverse (Cauchy), so that any
/// parity blocks restore as many data blocks, whichever are lost.
struct CauchyMatrix: Sendable {
  private let logarithms = FieldLogarithms()

  private static func x(_ parity: Int) -> UInt16 { UInt16(65535 - parity) }
  private static func y(_ data: Int) -> UInt16 { UInt16(data) }

  /// The factor of a data block in a parity block; both numbers together must be below 65536.
  func factor(parity: Int, data: Int) -> UInt16 { logarithms.inverse(Self.x(parity) ^ Self.y(data)) }

  /// The inverse of the part with these rows and columns, of which there are as many.
  func inverse(parity: [Int], data: [Int]) -> CauchyInverse {
    CauchyInverse(x: parity.map(Self.x), y: data.map(Self.y), logarithms)
  }
}

/// The inverse of a square Cauchy matrix, by its closed form (Knuth, The Art of Computer Programming 1, section 1.2.3,
/// exercise 41).
struct CauchyInverse: Sendable {
  private let x: [UInt16]
  private let y: [UInt16]
  /// Logarithms of what depends on the parity block, or on the data block, alone.
  private let ofParity: [Int]
  private let ofData: [Int]
  private let logarithms: FieldLogarithms

  fileprivate init(x: [UInt16], y: [UInt16], _ logarithms: FieldLogarithms) {
    func sum(_ element: UInt16, with others: [UInt16]) -> Int {
      others.reduce(0) { $1 == element ? $0 : $0 + logarithms.logarithm(element ^ $1) }
    }
    ofParity = x.map { sum($0, with: y) - sum($0, with: x) }
    ofData = y.map { sum($0, with: x) - sum($0, with: y) }
    self.x = x
    self.y = y
    self.logarithms = logarithms
  }

  /// The factor by which what a parity block holds of the lost data blocks enters a data block; both by their
  /// positions in the lists that the inverse was made of.
  func factor(data: Int, parity: Int) -> UInt16 {
    logarithms.power(ofParity[parity] + ofData[data] - logarithms.logarithm(x[parity] ^ y[data]))
  }
}
