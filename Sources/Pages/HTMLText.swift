import ByteIO

/// Text of a self-contained HTML page.
public enum HTMLText {
  /// All before the first element of the body. `style` comes after the style of every page.
  public static func head(_ title: String, style: String = "") -> String {
    "<!DOCTYPE html>\n<html lang=en><head><meta charset=utf-8><title>\(escaped(title))</title><style>"
      + "body{font:14px sans-serif;margin:2em;max-width:70em}table{border-collapse:collapse}"
      + "td,th{border:1px solid #ccc;padding:2px 8px;text-align:right}.row{display:flex;flex-wrap:wrap}"
      + "figure{margin:1em}figcaption{text-align:center}\(style)</style></head><body>\n"
  }

  /// A text as content of an element or of a quoted attribute.
  public static func escaped(_ text: String) -> String {
    text.reduce(into: "") { result, character in
      switch character {
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "&": result += "&amp;"
      case "\"": result += "&quot;"
      default: result.append(character)
      }
    }
  }

  /// A number with so many decimals; from 10^12 on an infinity.
  public static func decimal(_ value: Double, _ digits: Int) -> String {
    guard abs(value) < 1e12, let text = DecimalText.fixed(value, digits) else {
      return value.isNaN ? "-" : value > 0 ? "∞" : "-∞"
    }
    return text
  }
}
