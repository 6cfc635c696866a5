// swift-tools-version: 6.0
// The Swift package of Carboy with its library as a binary: see docs/ios-quickstart.md.
import PackageDescription

let package = Package(
    name: "Carboy",
    platforms: [.iOS(.v17), .macOS(.v14)],
    products: [.library(name: "Carboy", targets: ["Carboy"])],
    targets: [
        // From a web server instead: .binaryTarget(name: "CarboyFFI", url: "…/CarboyFFI.xcframework.zip", checksum: "@CHECKSUM@")
        .binaryTarget(name: "CarboyFFI", path: "CarboyFFI.xcframework.zip"),
        .target(name: "CarboyIds"),
        // Generated code: Swift 6.0's compiler aborts on its async foreign traits in language mode 6.
        .target(
            name: "CarboyBindings", dependencies: ["CarboyFFI", "CarboyIds"], swiftSettings: [.swiftLanguageMode(.v5)]),
        .target(name: "Carboy", dependencies: ["CarboyBindings", "CarboyIds"]),
    ]
)
