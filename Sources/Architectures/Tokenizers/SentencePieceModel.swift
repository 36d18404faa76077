import Protobuf

/// A SentencePiece model file, as far as a vocabulary needs it (sentencepiece_model.proto: ModelProto.pieces = 1 with
/// piece = 1, score = 2, type = 3; trainer_spec = 2; normalizer_spec = 3).
struct SentencePieceModel {
  /// Most pieces that are read.
  static let mostPieces = 1 << 24
  /// Most tokens without a text that a vocabulary is padded with: models round up to a few hundred.
  static let mostPadding = 1 << 16

  var pieces: [VocabularyToken] = []
  /// normalizer_spec.add_dummy_prefix (3) and remove_extra_whitespaces (4), true where they aren't set.
  var addsDummyPrefix = true
  var removesExtraWhitespace = true

  init() {}

  init(parsing bytes: [UInt8]) throws(ArchitectureError) {
    var reader = ProtobufReader(TokenizerModelBytes(bytes: bytes))
    while let field = try reader.next() {
      switch (field.number, field.value) {
      case (1, .bytes(let range)):
        guard pieces.count < Self.mostPieces else { throw .tokenizer("tokenizer.model has more than 2^24 pieces") }
        pieces.append(try Self.piece(reader.message(range)))
      case (3, .bytes(let range)): try readNormalizer(reader.message(range))
      default: continue
      }
    }
    guard !pieces.isEmpty else { throw .tokenizer("tokenizer.model has no pieces") }
  }

  private static func piece(_ message: ProtobufReader<TokenizerModelBytes>) throws(ArchitectureError) -> VocabularyToken
  {
    var reader = message
    var token = VocabularyToken(text: [], score: 0, type: .normal)
    while let field = try reader.next() {
      switch (field.number, field.value) {
      case (1, .bytes(let range)): token.text = Array(reader.source.bytes[range])
      case (2, .fixed32(let bits)): token.score = Float(bitPattern: bits)
      case (3, .varint(let number)):
        guard let raw = Int32(exactly: number), let type = TokenType(rawValue: raw) else {
          throw .tokenizer("tokenizer.model has a piece of type \(number)")
        }
        token.type = type
      default: continue
      }
    }
    return token
  }

  private mutating func readNormalizer(_ message: ProtobufReader<TokenizerModelBytes>) throws(ArchitectureError) {
    var reader = message
    while let field = try reader.next() {
      switch (field.number, field.value) {
      case (3, .varint(let flag)): addsDummyPrefix = flag != 0
      case (4, .varint(let flag)): removesExtraWhitespace = flag != 0
      default: continue
      }
    }
  }
}

extension SentencePieceModel {
  /// The model as SentencePiece reads it: the pieces, a trainer that names the kind of model and the special pieces,
  /// and a normalizer that changes nothing but spaces.
  func encoded() -> [UInt8] {
    var writer = ProtobufWriter()
    for token in pieces {
      var piece = ProtobufWriter()
      piece.bytes(1, token.text)
      piece.float(2, token.score)
      if token.type != .normal { piece.varint(3, UInt64(token.type.rawValue)) }
      writer.bytes(1, piece.bytes)
    }
    writer.bytes(2, trainer())
    var normalizer = ProtobufWriter()
    normalizer.bytes(1, "identity".utf8)
    normalizer.varint(3, addsDummyPrefix ? 1 : 0)
    normalizer.varint(4, removesExtraWhitespace ? 1 : 0)
    writer.bytes(3, normalizer.bytes)
    return writer.bytes
  }

  /// trainer_spec: model_type (3) BPE (2), vocab_size (4), byte_fallback (35), and where the special pieces are (40 to
  /// 43: unknown, beginning, end, padding; -1 for none).
  private func trainer() -> [UInt8] {
    var trainer = ProtobufWriter()
    trainer.varint(3, 2)
    trainer.varint(4, UInt64(pieces.count))
    if pieces.contains(where: { $0.type == .byte }) { trainer.varint(35, 1) }
    let unknown = pieces.firstIndex { $0.type == .unknown }
    let named = [unknown, identifier("<s>"), identifier("</s>"), identifier("<pad>")]
    for (field, position) in zip(40...43, named) {
      trainer.varint(field, position.map(UInt64.init) ?? UInt64(bitPattern: -1))
    }
    return trainer.bytes
  }

  private func identifier(_ text: String) -> Int? {
    let bytes = Array(text.utf8)
    return pieces.firstIndex { $0.type == .control && $0.text == bytes }
  }
}
