import ByteIO
import Codecs
import JSON

/// The rectangles that the scales of an FP8 weight serve, told from the shapes, and by the configuration where those
/// leave a choice.
struct FP8Sides {
  let rows: FP8Codec.Side
  let columns: FP8Codec.Side

  /// Throws `LayoutReason.shape` if no rectangles fit, and `LayoutReason.disagreement` if those of the configuration
  /// don't.
  init(
    _ weight: StoredTensor, _ scale: StoredTensor, of logical: String, _ stored: StoredTensors
  ) throws(LayoutError) {
    let width = weight.shape[weight.shape.count - 1]
    let height = weight.shape.count > 1 ? weight.shape[weight.shape.count - 2] : 1
    let outer = Array(weight.shape.dropLast(2))
    guard let grid = Self.grid(scale.shape, outer: outer, height: height) else {
      throw stored.fault(
        .shape(stored: scale.name, found: scale.shape, expected: "scales of \(weight.shape)"), logical)
    }
    let isStacked = outer.reduce(1, { $0 &* $1 }) != 1
    if grid.down == 1, grid.across == 1 {
      (rows, columns) = (grid.isShared ? .all : .count(max(height, 1)), .all)
      return
    }
    let block = Self.block(stored.configuration.quantization)
    let fitting = [block, (128, 128), Self.divided(height, width, grid.down, grid.across)].compactMap { $0 }.first {
      height.dividedRoundingUp(by: $0.0) == grid.down && width.dividedRoundingUp(by: $0.1) == grid.across
    }
    guard let (down, across) = fitting, !isStacked || height % down == 0 else {
      throw stored.fault(
        .shape(stored: scale.name, found: scale.shape, expected: "a block for each scale of \(weight.shape)"), logical)
    }
    if let block, grid.across > 1, (down, across) != block, grid.down > 1 {
      throw stored.fault(
        .disagreement("blocks of \(block.0) x \(block.1) don't make \(scale.shape) scales of \(weight.shape)"), logical)
    }
    rows = .count(down)
    columns = grid.across == 1 ? .all : .count(across)
  }

  /// Scales down and across one matrix, and whether one scale serves a stack of them.
  private static func grid(
    _ shape: [Int], outer: [Int], height: Int
  ) -> (down: Int, across: Int, isShared: Bool)? {
    let count = shape.reduce(1) { $0 &* $1 }
    if count == 1 { return (1, 1, true) }
    if shape.count == outer.count + 2, Array(shape.prefix(outer.count)) == outer {
      return (shape[outer.count], shape[outer.count + 1], false)
    }
    if outer.isEmpty, shape == [height] { return (height, 1, false) }
    if !outer.isEmpty, shape == outer { return (1, 1, false) }
    if !outer.isEmpty, shape == outer + [height] { return (height, 1, false) }
    return nil
  }

  /// The block of the configuration: `weight_block_size`, or `block_structure` of compressed-tensors.
  private static func block(_ configuration: JSONValue?) -> (Int, Int)? {
    var value = configuration?["weight_block_size"]
    if value == nil, let groups = configuration?["config_groups"]?.object?.members, groups.count == 1 {
      value = groups[0].value["weights"]?["block_structure"]
    }
    guard let sides = value?.array, sides.count == 2, let down = sides[0].int, let across = sides[1].int, down > 0,
      across > 0
    else { return nil }
    return (down, across)
  }

  /// Blocks that divide the matrix, as transformers infers them.
  private static func divided(_ height: Int, _ width: Int, _ down: Int, _ across: Int) -> (Int, Int)? {
    guard down > 0, across > 0, height > 0, width > 0, height % down == 0, width % across == 0 else { return nil }
    return (height / down, width / across)
  }
}
