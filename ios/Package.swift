// swift-tools-version: 6.0
// The rider's iPhone app, all but the few lines in App/ that make it a program. On Linux the tests run against the real
// core and a real server, as those of bindings/swift do.
import PackageDescription

/// Swift 6.0's own Observation for Linux lacks a function that it would call if a lock failed; nothing else does.
let observation: [LinkerSetting] = [
    .unsafeFlags(["-Xlinker", "--allow-shlib-undefined"], .when(platforms: [.linux]))
]

let package = Package(
    name: "CarboyRider",
    defaultLocalization: "en",
    platforms: [.iOS(.v17), .macOS(.v14)],
    products: [
        .library(name: "CarboyShell", targets: ["CarboyShell"]),
        .library(name: "CarboyRiderUI", targets: ["CarboyRiderUI"]),
    ],
    dependencies: [.package(path: "../bindings/swift")],
    targets: [
        // The core's surroundings on a phone; what only Apple's systems have is in Apple/.
        .target(name: "CarboyShell", dependencies: [.product(name: "Carboy", package: "swift")]),
        // The code of docs/ios-quickstart.md.
        .target(name: "Quickstart", dependencies: ["CarboyShell"], path: "generated/Quickstart"),
        .testTarget(
            name: "CarboyShellTests", dependencies: ["CarboyShell", "Quickstart", "TestSupport"],
            linkerSettings: observation),
        // The view models and all text. The catalogue is read as it is, on every system.
        .target(
            name: "CarboyRider",
            dependencies: ["CarboyShell", .product(name: "Carboy", package: "swift")],
            resources: [.copy("Resources/Localizable.xcstrings")]
        ),
        // The views: SwiftUI, and nothing without it.
        .target(name: "CarboyRiderUI", dependencies: ["CarboyRider"]),
        .target(name: "TestSupport", dependencies: ["CarboyRider"], path: "Tests/TestSupport"),
        // A rider's app in a process of its own, which a test may kill.
        .executableTarget(
            name: "RiderProcess", dependencies: ["CarboyRider", "TestSupport"], path: "Tests/RiderProcess",
            linkerSettings: observation
        ),
        .testTarget(
            name: "CarboyRiderTests", dependencies: ["CarboyRider", "CarboyRiderUI", "TestSupport", "RiderProcess"],
            linkerSettings: observation
        ),
    ]
)
