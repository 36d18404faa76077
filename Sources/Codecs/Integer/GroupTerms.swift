/// What one group adds to its codes: w = (q - zero) * scale + bias. A group has a zero or a bias, not both.
struct GroupTerms {
  var scale: Float
  var zero: Float = 0
  var bias: Float = 0
}

extension IntegerCodec {
  /// Reads the terms of groups from the planes of a span.
  struct TermReader {
    let codec: IntegerCodec
    let planes: [UnsafeRawBufferPointer]

    init(_ codec: IntegerCodec, _ planes: [UnsafeRawBufferPointer]) {
      self.codec = codec
      self.planes = planes
    }

    /// Terms of a group, and of the superblock it belongs to.
    func terms(group: Int, superblock: Int) -> GroupTerms {
      var terms = GroupTerms(scale: scale(group: group, superblock: superblock))
      switch codec.zero {
      case .none: break
      case .code: terms.zero = Float(planes[2][group])
      case .bias(let type): terms.bias = type.load(planes[2], group)
      }
      return terms
    }

    private func scale(group: Int, superblock: Int) -> Float {
      guard case .float(let type) = codec.scale else {
        let second = planes[planes.count - 1]
        let scale = ScalarFloat.f32.load(second, superblock * 2)
        return Float(planes[1][group]) * scale + ScalarFloat.f32.load(second, superblock * 2 + 1)
      }
      return type.load(planes[1], group)
    }
  }
}
