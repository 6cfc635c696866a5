// swift-tools-version: 6.0
// The Swift package of Carboy. `cargo xtask bindings` writes Sources/ from the Rust crate beside it.
// The library itself, libcarboy, is found by `-Xlinker -L<its folder>`, which `cargo xtask test` passes.
import PackageDescription

let package = Package(
    name: "Carboy",
    platforms: [.iOS(.v16), .macOS(.v13)],
    products: [.library(name: "Carboy", targets: ["Carboy"])],
    targets: [
        // The C declarations of the Rust library: a header and its module map, nothing to compile.
        .systemLibrary(name: "CarboyFFI"),
        // Generated code: Swift 6.0's compiler aborts on its async foreign traits in language mode 6.
        .target(
            name: "Carboy",
            dependencies: ["CarboyFFI"],
            swiftSettings: [.swiftLanguageMode(.v5)],
            linkerSettings: [.linkedLibrary("carboy")]
        ),
        .testTarget(name: "CarboyTests", dependencies: ["Carboy"]),
    ]
)
