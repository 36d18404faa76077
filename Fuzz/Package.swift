// swift-tools-version: 6.2
import PackageDescription

/// One libFuzzer target a reader. Scripts/fuzz.sh builds and runs them; without its flags they have no entry point.
let targets = [
  "SafetensorsHeader", "ShardIndex", "GGUFHeader", "BaleFile", "JSON", "ZstdFrame", "Recipe", "CodecDescriptor",
  "CodecDecode", "Tokenizer", "ModelConfig", "GGUFModel", "Layouts", "ONNXModel", "Torch", "Parity", "Manifest",
  "SignedStatement",
]

let package = Package(
  name: "fuzz",
  dependencies: [.package(name: "bale", path: "..")],
  targets: [
    .target(name: "FuzzSupport", dependencies: [.product(name: "Bale", package: "bale")])
  ]
    + targets.map {
      .executableTarget(
        name: "Fuzz" + $0, dependencies: ["FuzzSupport", .product(name: "Bale", package: "bale")], path: "Sources/\($0)"
      )
    },
  swiftLanguageModes: [.v6]
)
