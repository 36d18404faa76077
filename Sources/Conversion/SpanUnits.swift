import ByteIO

/// The pieces of work of a job: runs of elements, each cut in spans, all spans numbered through. They are counted,
/// not listed: a job of a hundred billion elements takes no room. A run without elements has one empty unit, so that
/// whoever consumes the units sees every run begin and end.
public struct SpanUnits: Sendable {
  /// A run of elements and the length of its spans.
  public struct Run: Sendable {
    public var elements: Int
    public var span: Int

    public init(elements: Int, span: Int) {
      self.elements = elements
      self.span = span
    }
  }

  /// One piece of work.
  public struct Unit: Sendable, Hashable {
    /// Index of the run.
    public var run: Int
    /// Number of the span in the run.
    public var span: Int
    /// Elements of the run that it is.
    public var elements: Range<Int>
    /// True for the last of the run.
    public var isLast: Bool
  }

  public let count: Int
  private let runs: [Run]
  private let firsts: [Int]

  public init(_ runs: [Run]) {
    self.runs = runs
    var firsts: [Int] = []
    var count = 0
    for run in runs {
      firsts.append(count)
      count += Self.spans(of: run)
    }
    self.firsts = firsts
    self.count = count
  }

  private static func spans(of run: Run) -> Int { max(run.elements.dividedRoundingUp(by: run.span), 1) }

  /// Unit number `index`, by binary search.
  public subscript(index: Int) -> Unit {
    var low = 0
    var high = firsts.count
    while high - low > 1 {
      let middle = (low + high) / 2
      if firsts[middle] <= index { low = middle } else { high = middle }
    }
    let run = runs[low]
    let span = index - firsts[low]
    let start = span * run.span
    return Unit(
      run: low, span: span, elements: start..<min(start + run.span, run.elements),
      isLast: span == Self.spans(of: run) - 1)
  }
}
