/// Arithmetic on numbers that come from a file. Each operation gives nil where the exact result doesn't fit.
extension FixedWidthInteger {
  @inlinable public func adding(_ other: Self) -> Self? {
    let (value, overflow) = addingReportingOverflow(other)
    return overflow ? nil : value
  }

  @inlinable public func subtracting(_ other: Self) -> Self? {
    let (value, overflow) = subtractingReportingOverflow(other)
    return overflow ? nil : value
  }

  @inlinable public func multiplied(by other: Self) -> Self? {
    let (value, overflow) = multipliedReportingOverflow(by: other)
    return overflow ? nil : value
  }

  /// The smallest multiple of `alignment` (positive) that is not below this non-negative number.
  @inlinable public func roundedUp(to alignment: Self) -> Self? {
    let remainder = self % alignment
    return remainder == 0 ? self : adding(alignment - remainder)
  }

  /// This non-negative number divided by `divisor` (positive), rounded up.
  @inlinable public func dividedRoundingUp(by divisor: Self) -> Self {
    self / divisor + (self % divisor == 0 ? 0 : 1)
  }
}
