// swift-tools-version: 6.0
// The Swift package of Carboy. `cargo xtask bindings` writes generated/ from the Rust crate beside it.
// The library itself, libcarboy, is found by `-Xlinker -L<its folder>`, which `cargo xtask test` passes; in the package
// that `cargo xtask package swift` makes it is an XCFramework.
import PackageDescription

/// Swift 6.0's own Observation for Linux lacks a function that it would call if a lock failed; nothing else does.
let observation: [LinkerSetting] = [
    .unsafeFlags(["-Xlinker", "--allow-shlib-undefined"], .when(platforms: [.linux]))
]

let package = Package(
    name: "Carboy",
    platforms: [.iOS(.v17), .macOS(.v14)],
    products: [.library(name: "Carboy", targets: ["Carboy"])],
    targets: [
        // The C declarations of the Rust library: a header and its module map, nothing to compile.
        .systemLibrary(name: "CarboyFFI", path: "generated/CarboyFFI"),
        // What the generated code has as types of their own.
        .target(name: "CarboyIds"),
        // Generated code: Swift 6.0's compiler aborts on its async foreign traits in language mode 6.
        .target(
            name: "CarboyBindings",
            dependencies: ["CarboyFFI", "CarboyIds"],
            path: "generated/CarboyBindings",
            swiftSettings: [.swiftLanguageMode(.v5)],
            linkerSettings: [.linkedLibrary("carboy")]
        ),
        .target(name: "Carboy", dependencies: ["CarboyBindings", "CarboyIds"]),
        .executableTarget(
            name: "CarboyBench", dependencies: ["Carboy", "CarboyFFI"], path: "Bench", linkerSettings: observation),
        // The examples in the comments above: that they compile is the test.
        .target(name: "CarboyExamples", dependencies: ["Carboy"], path: "generated/CarboyExamples"),
        .testTarget(
            name: "CarboyTests", dependencies: ["Carboy", "CarboyExamples"], linkerSettings: observation),
    ]
)
