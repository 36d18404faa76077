import Tensors

extension Codec {
  /// Throws unless the span has the codec's planes, each `perSpan` and `whole` one of its exact size and each
  /// `variable` one within its bound, and `room` elements suffice.
  func checkPlanes(_ input: EncodedSpan, room: Int) throws(CodecError) {
    try checkSizes(input.planes.map(\.count), elements: input.elements, columns: input.columns, room: room)
  }

  /// The same for planes to be written.
  func checkPlanes(
    _ output: [UnsafeMutableRawBufferPointer], elements: Int, columns: Int
  ) throws(CodecError) {
    try checkSizes(output.map(\.count), elements: elements, columns: columns, room: elements)
  }

  private func checkSizes(_ sizes: [Int], elements: Int, columns: Int, room: Int) throws(CodecError) {
    guard sizes.count == planes.count, elements >= 0, columns >= 0, room >= elements else {
      throw .shape(codec: "\(descriptor)", shape: [elements, columns], reason: "the buffers don't fit the span")
    }
    for (index, plane) in planes.enumerated() {
      let expected = bytes(plane: index, elements: elements, columns: columns)
      guard plane.extent == .variable ? sizes[index] <= expected : sizes[index] == expected else {
        throw .planeSize(codec: "\(descriptor)", plane: plane.role, expected: expected, found: sizes[index])
      }
    }
  }

  /// Throws unless sixteen bytes an element can be counted: room for every product that sizes a plane.
  func checkCountable(_ shape: Shape) throws(CodecError) {
    guard shape.elements <= Int.max / 16 else {
      throw .shape(codec: "\(descriptor)", shape: shape.dimensions, reason: "it has too many elements")
    }
  }
}
