extension Codec {
  /// What to throw for a value that the encoding can't hold.
  func unencodable(_ values: UnsafeBufferPointer<Float>, _ index: Int) -> CodecError {
    .unencodable(codec: "\(descriptor)", element: index, value: values[index])
  }

  /// The same for the first value from `start` on that isn't finite.
  func unencodable(_ values: UnsafeBufferPointer<Float>, from start: Int) -> CodecError {
    unencodable(values, values[start...].firstIndex { !$0.isFinite } ?? start)
  }
}
