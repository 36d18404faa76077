import ByteIO
import JSON

/// A signed statement as it is stored: a Sigstore bundle 0.3 around a DSSE envelope, checked with a key that is at hand.
struct SignatureBundle {
  static let mediaType = "application/vnd.dev.sigstore.bundle.v0.3+json"
  static let payloadType = "application/vnd.in-toto+json"

  /// Names the key; empty in files of old writers.
  var hint: String
  var payload: [UInt8]
  var signature: [UInt8]

  /// The bytes that are signed: DSSE's pre-authentication encoding, which binds the payload's type and length.
  static func message(_ payload: [UInt8]) -> [UInt8] {
    Array("DSSEv1 \(payloadType.utf8.count) \(payloadType) \(payload.count) ".utf8) + payload
  }

  var encoded: [UInt8] {
    let value: JSONValue = [
      "mediaType": .string(Self.mediaType),
      "verificationMaterial": ["publicKey": ["hint": .string(hint)], "tlogEntries": []],
      "dsseEnvelope": [
        "payload": .string(Base64.encode(payload)), "payloadType": .string(Self.payloadType),
        "signatures": [["sig": .string(Base64.encode(signature)), "keyid": ""]],
      ],
    ]
    return value.encoded()
  }

  init(hint: String, payload: [UInt8], signature: [UInt8]) {
    self.hint = hint
    self.payload = payload
    self.signature = signature
  }

  init(parsing bytes: [UInt8]) throws(SignatureReason) {
    let value: JSONValue
    do throws(JSONError) { value = try JSONValue(parsing: bytes) } catch { throw .text(error.reason) }
    guard value["mediaType"]?.string == Self.mediaType else { throw .bundle("mediaType") }
    guard let key = value["verificationMaterial"]?["publicKey"] else {
      throw .bundle("verificationMaterial.publicKey")
    }
    guard let envelope = value["dsseEnvelope"] else { throw .bundle("dsseEnvelope") }
    guard envelope["payloadType"]?.string == Self.payloadType else { throw .bundle("payloadType") }
    guard let payload = envelope["payload"]?.string.flatMap(Base64.decode) else { throw .bundle("payload") }
    guard let signatures = envelope["signatures"]?.array, signatures.count == 1,
      let signature = signatures[0]["sig"]?.string.flatMap(Base64.decode)
    else { throw .bundle("signatures") }
    self.init(hint: key["hint"]?.string ?? "", payload: payload, signature: signature)
  }
}
