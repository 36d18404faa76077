// swift-tools-version: 6.2
import PackageDescription

/// One target a concern; an arrow only ever points to a target listed before it.
let package = Package(
  name: "bale",
  products: [
    .executable(name: "bale", targets: ["bale"]),
    .library(
      name: "Bale",
      targets: [
        "ByteIO", "JSON", "Tensors", "Compression", "Codecs", "Experts", "Safetensors", "GGUF", "ONNX", "BaleFormat",
        "Calibration", "Architectures", "Pipeline", "Parity", "Manifests", "Signing", "Checkpoints", "Layouts",
        "Conversion", "Verification",
      ]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0")
  ],
  targets: [
    // C libraries and shims.
    .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
    .systemLibrary(name: "CXXHash", pkgConfig: "libxxhash", providers: [.apt(["libxxhash-dev"])]),
    .systemLibrary(name: "CCrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
    .systemLibrary(name: "CLAPACK", pkgConfig: "openblas", providers: [.apt(["libopenblas-serial-dev"])]),
    .target(name: "CLinux"),
    .target(name: "CKernels"),

    // Threads.
    .target(name: "Pipeline"),

    // Bytes, values, encodings.
    .target(name: "ByteIO", dependencies: ["CLinux", "CXXHash", "CCrypto", "Pipeline"]),
    .target(name: "JSON", dependencies: ["ByteIO"]),
    .target(name: "Protobuf"),
    .target(name: "Compression", dependencies: ["ByteIO", "Pipeline", "CKernels", "CZstd"]),
    .target(name: "Tensors", dependencies: ["ByteIO", "CKernels"]),
    .target(name: "Codecs", dependencies: ["ByteIO", "Tensors", "CKernels"]),

    // Containers: none imports another.
    .target(name: "Safetensors", dependencies: ["ByteIO", "JSON", "Tensors"]),
    .target(name: "GGUF", dependencies: ["ByteIO", "Tensors", "Codecs"]),
    .target(name: "ONNX", dependencies: ["ByteIO", "Protobuf", "Tensors"]),
    .target(
      name: "BaleFormat",
      dependencies: [
        "ByteIO", "JSON", "Compression", "Tensors", "Codecs", "Pipeline",
      ]),

    .target(
      name: "Calibration",
      dependencies: ["ByteIO", "Tensors", "Codecs", "Safetensors", "GGUF", "Pipeline", "CKernels", "CLAPACK"]),
    .target(name: "Architectures", dependencies: ["ByteIO", "JSON", "Protobuf", "Tensors", "Codecs", "GGUF"]),

    // Damage undone, whatever the format.
    .target(name: "Parity", dependencies: ["ByteIO", "Pipeline", "CKernels"]),

    // Files of any format against what was written down of them.
    .target(name: "Manifests", dependencies: ["ByteIO", "JSON", "Pipeline"]),
    .target(name: "Signing", dependencies: ["Manifests", "CCrypto"]),

    // Reports: HTML and pictures.
    .target(name: "Pages", dependencies: ["ByteIO"]),

    // What joins them.
    .target(
      name: "Experts", dependencies: ["JSON", "Codecs", "BaleFormat", "Pages", "Pipeline", "CLAPACK"]),
    .target(
      name: "Checkpoints",
      dependencies: [
        "ByteIO", "JSON", "Tensors", "Codecs", "Safetensors", "GGUF", "ONNX", "BaleFormat", "Pipeline",
      ]),
    .target(name: "Layouts", dependencies: ["Checkpoints", "ONNX", "Pipeline", "CKernels"]),
    .target(
      name: "Conversion",
      dependencies: [
        "Checkpoints", "Layouts", "Architectures", "Calibration", "Experts", "Pages", "Pipeline", "CKernels",
      ]),
    .target(name: "Verification", dependencies: ["Conversion"]),
    .executableTarget(
      name: "bale",
      dependencies: [
        "Verification", "Parity", "Signing", .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ]),

    .target(name: "TestSupport", dependencies: ["ByteIO"], path: "Tests/TestSupport"),
    .testTarget(name: "ByteIOTests", dependencies: ["ByteIO", "TestSupport"]),
    .testTarget(name: "PipelineTests", dependencies: ["Pipeline"]),
    .testTarget(name: "ParityTests", dependencies: ["Parity", "TestSupport"]),
    .testTarget(name: "ManifestsTests", dependencies: ["Manifests", "TestSupport"]),
    .testTarget(name: "SigningTests", dependencies: ["Signing", "TestSupport"]),
    .testTarget(name: "PagesTests", dependencies: ["Pages"]),
    .testTarget(name: "JSONTests", dependencies: ["JSON", "TestSupport"]),
    .testTarget(name: "ProtobufTests", dependencies: ["Protobuf"]),
    .testTarget(name: "CompressionTests", dependencies: ["Compression", "Pipeline", "CKernels", "TestSupport"]),
    .testTarget(name: "TensorsTests", dependencies: ["Tensors", "Safetensors", "TestSupport"]),
    .testTarget(
      name: "CodecsTests", dependencies: ["Codecs", "GGUF", "Safetensors", "TestSupport"], exclude: ["Goldens"]),
    .testTarget(
      name: "CalibrationTests", dependencies: ["Calibration", "TestSupport"], exclude: ["Golden"]),
    .testTarget(name: "SafetensorsTests", dependencies: ["Safetensors", "TestSupport"]),
    .testTarget(name: "ExpertsTests", dependencies: ["Experts", "Safetensors", "TestSupport"]),
    .testTarget(name: "ONNXTests", dependencies: ["ONNX", "TestSupport"]),
    .testTarget(name: "GGUFTests", dependencies: ["GGUF", "Safetensors", "TestSupport"]),
    .testTarget(
      name: "ArchitecturesTests", dependencies: ["Architectures", "Safetensors", "TestSupport"],
      exclude: ["Goldens", "TokenizerGoldens", "NameGoldens"]),
    .testTarget(name: "BaleFormatTests", dependencies: ["BaleFormat", "TestSupport"]),
    .testTarget(
      name: "LayoutsTests", dependencies: ["Layouts", "Conversion", "Safetensors", "TestSupport"], exclude: ["Goldens"]),
    .testTarget(
      name: "ConversionTests", dependencies: ["Conversion", "Verification", "TestSupport"], exclude: ["Goldens"]),
    .testTarget(name: "VerificationTests", dependencies: ["Verification", "TestSupport"]),
    .testTarget(
      name: "CommandTests", dependencies: ["bale", "Conversion", "GGUF", "Safetensors", "TestSupport"]),
  ],
  swiftLanguageModes: [.v6]
)
