// swift-tools-version: 6.2
import PackageDescription

/// Measurements, apart from the package so that nobody who uses it builds them.
let package = Package(
  name: "benchmarks",
  dependencies: [.package(name: "bale", path: "..")],
  targets: [
    .executableTarget(name: "bench", dependencies: [.product(name: "Bale", package: "bale")])
  ],
  swiftLanguageModes: [.v6]
)
