/// A sum of F32 numbers in the fixed order of an eight-lane register: number i goes to lane i mod 8, and the lanes
/// are added as ((0 + 4) + (2 + 6)) + ((1 + 5) + (3 + 7)). Every kernel that picks a scale by its error sums so,
/// plain or vectorised, and all pick the same.
struct LaneSums {
  private var lanes: (Float, Float, Float, Float, Float, Float, Float, Float) = (0, 0, 0, 0, 0, 0, 0, 0)

  mutating func add(_ value: Float, lane: Int) {
    switch lane & 7 {
    case 0: lanes.0 += value
    case 1: lanes.1 += value
    case 2: lanes.2 += value
    case 3: lanes.3 += value
    case 4: lanes.4 += value
    case 5: lanes.5 += value
    case 6: lanes.6 += value
    default: lanes.7 += value
    }
  }

  var total: Float {
    let even = (lanes.0 + lanes.4) + (lanes.2 + lanes.6)
    let odd = (lanes.1 + lanes.5) + (lanes.3 + lanes.7)
    return even + odd
  }
}
