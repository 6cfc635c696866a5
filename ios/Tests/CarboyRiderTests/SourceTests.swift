import CarboyShell
import Foundation
import Testing

@testable import CarboyRider

/// What only Xcode builds is held to what can be seen of it here.
@Suite(.timeLimit(.minutes(2)))
struct SourceTests {
    static let ios = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    static func swift(_ folder: String) throws -> [URL] {
        let root = ios.appendingPathComponent(folder)
        let files = FileManager.default.enumerator(at: root, includingPropertiesForKeys: nil)
        let found = (files?.allObjects as? [URL] ?? []).filter { $0.pathExtension == "swift" }
        return found.sorted { $0.path < $1.path }
    }

    @Test func theViewsHaveNoTextOfTheirOwn() throws {
        let views = try Self.swift("Sources/CarboyRiderUI") + Self.swift("App/CarboyRider")
        #expect(views.count >= 8)
        for file in views {
            for (number, line) in try Self.code(file) where line.contains("\"") {
                Issue.record("\(file.lastPathComponent):\(number): \(line)")
            }
        }
    }

    /// Text in a view model would be in English for everybody: what has a blank in it is a sentence.
    @Test func theViewModelsSpeakByTheCatalogueAlone() throws {
        let models = try Self.swift("Sources/CarboyRider")
        #expect(models.count >= 15)
        let literal = #/"(?:[^"\\]|\\.)*"/#
        for file in models {
            for (number, line) in try Self.code(file) where !line.contains("Failure(") {
                for match in line.matches(of: literal) {
                    let text = match.output.replacing(#/\\\([^)]*\)/#, with: "")
                    let isSentence = text.contains(#/\p{L}{2,}\s+\p{L}/#)
                    #expect(!isSentence, "\(file.lastPathComponent):\(number): \(match.output)")
                }
            }
        }
    }

    @Test func everyPhraseIsSaidSomewhere() throws {
        let sources = try (Self.swift("Sources/CarboyRider") + Self.swift("Sources/CarboyRiderUI"))
            .map { try String(contentsOf: $0, encoding: .utf8) }.joined()
        for phrase in Phrase.allCases {
            let said = ["(.", ": .", "? .", ", ."].contains { start in
                sources.ranges(of: "\(start)\(phrase)").contains { range in
                    range.upperBound == sources.endIndex || !sources[range.upperBound].isLetter
                }
            }
            #expect(said, "\(phrase)")
        }
    }

    /// Inactive blocks too: SwiftUI's own types are not to be had here, but a slip of the pen is found.
    @Test func whatOnlyXcodeBuildsIsParsed() throws {
        let files = try Self.swift("Sources/CarboyRiderUI") + Self.swift("App")
        let parser = Process()
        parser.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        parser.arguments = ["swiftc", "-frontend", "-parse", "-swift-version", "6"] + files.map(\.path)
        let pipe = Pipe()
        parser.standardError = pipe
        try parser.run()
        let said = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        parser.waitUntilExit()
        #expect(parser.terminationStatus == 0, "\(said)")
    }

    /// The lines of a file without its comments.
    private static func code(_ file: URL) throws -> [(Int, String)] {
        let text = try String(contentsOf: file, encoding: .utf8)
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        return lines.enumerated().map { ($0 + 1, String($1)) }.filter {
            !$0.1.trimmingCharacters(in: .whitespaces).hasPrefix("//")
        }
    }
}

/// The project that Xcode opens.
struct ProjectTests {
    private static let app = SourceTests.ios.appendingPathComponent("App")

    private static func plist(_ path: String) throws -> [String: Any] {
        let data = try Data(contentsOf: app.appendingPathComponent(path))
        return try #require(try PropertyListSerialization.propertyList(from: data, format: nil) as? [String: Any])
    }

    private static func json(_ path: String) throws -> [String: Any] {
        let data = try Data(contentsOf: app.appendingPathComponent(path))
        return try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
    }

    @Test func theAppMayWorkInTheBackgroundAndOpensTheDashboardsLinks() throws {
        let info = try Self.plist("CarboyRider/Info.plist")
        #expect(Set(info["UIBackgroundModes"] as? [String] ?? []) == ["fetch", "processing"])
        let jobs = info["BGTaskSchedulerPermittedIdentifiers"] as? [String] ?? []
        #expect(Set(jobs) == Set(BackgroundJob.allCases.map(\.rawValue)))
        let types = info["CFBundleURLTypes"] as? [[String: Any]] ?? []
        #expect(types.flatMap { $0["CFBundleURLSchemes"] as? [String] ?? [] } == [EnrolLink.scheme])
        #expect(Set(info["CFBundleLocalizations"] as? [String] ?? []) == Set(Language.allCases.map(\.rawValue)))
        #expect((info["NSCameraUsageDescription"] as? String)?.isEmpty == false)
    }

    @Test func whatTheSystemSaysForTheAppIsInEveryLanguageToo() throws {
        let catalogue = try Catalogue(contentsOf: Self.app.appendingPathComponent("CarboyRider/InfoPlist.xcstrings"))
        let info = try Self.plist("CarboyRider/Info.plist")
        let described = info.keys.filter { $0.hasSuffix("UsageDescription") }
        #expect(Set(catalogue.strings.keys) == Set(described + ["CFBundleDisplayName"]))
        for (key, entry) in catalogue.strings {
            #expect(Set(entry.localizations.keys) == Set(Language.allCases.map(\.rawValue)), "\(key)")
            #expect(entry.localizations.values.allSatisfy { $0.text(.other)?.isEmpty == false }, "\(key)")
        }
        #expect(catalogue.strings["NSCameraUsageDescription"]?.localizations["en"]?.text(.other)
            == info["NSCameraUsageDescription"] as? String)
    }

    @Test func theProjectIsWhole() throws {
        let project = try Self.plist("CarboyRider.xcodeproj/project.pbxproj")
        let objects = try #require(project["objects"] as? [String: [String: Any]])
        let root = try #require(objects[project["rootObject"] as? String ?? ""])
        #expect(root["isa"] as? String == "PBXProject")
        // Every id that an object names is an object.
        let ids = objects.values.flatMap { Self.texts($0) }.filter { $0.hasPrefix("CA00") }
        #expect(ids.count > 30)
        #expect(ids.filter { objects[$0] == nil } == [])
        let folders = objects.values.filter { $0["isa"] as? String == "PBXFileSystemSynchronizedRootGroup" }
        for folder in folders + objects.values.filter({ $0["path"] as? String == "CarboyRider.xctestplan" }) {
            let path = try #require(folder["path"] as? String)
            #expect(FileManager.default.fileExists(atPath: Self.app.appendingPathComponent(path).path), "\(path)")
        }
        #expect(Set(root["knownRegions"] as? [String] ?? []) == Set(Language.allCases.map(\.rawValue) + ["Base"]))
        let packages = objects.values.filter { $0["isa"] as? String == "XCLocalSwiftPackageReference" }
        // This package, and the one with the core in it that `cargo xtask package swift` makes.
        #expect(Set(packages.compactMap { $0["relativePath"] as? String }) == ["..", "../../target/package/swift"])
        let manifest = SourceTests.ios.appendingPathComponent("Package.swift")
        let product = objects.values.first { $0["isa"] as? String == "XCSwiftPackageProductDependency" }
        let name = try #require(product?["productName"] as? String)
        #expect(try String(contentsOf: manifest, encoding: .utf8).contains(".library(name: \"\(name)\""))
    }

    @Test func theTestPlanAndTheSchemeNameTargetsOfTheProject() throws {
        let project = try Self.plist("CarboyRider.xcodeproj/project.pbxproj")
        let objects = try #require(project["objects"] as? [String: [String: Any]])
        let plan = try Self.json("CarboyRider.xctestplan")
        let tests = (plan["testTargets"] as? [[String: Any]] ?? []).compactMap { $0["target"] as? [String: String] }
        #expect(tests.count == 1)
        for target in tests {
            let object = objects[target["identifier"] ?? ""]
            #expect(object?["name"] as? String == target["name"])
            #expect(object?["productType"] as? String == "com.apple.product-type.bundle.ui-testing")
        }
        let configurations = plan["configurations"] as? [[String: Any]] ?? []
        let languages = configurations.compactMap { ($0["options"] as? [String: Any])?["language"] as? String }
        #expect(Set(languages) == Set(Language.allCases.map(\.rawValue)))
        let path = "CarboyRider.xcodeproj/xcshareddata/xcschemes/CarboyRider.xcscheme"
        let scheme = try String(contentsOf: Self.app.appendingPathComponent(path), encoding: .utf8)
        let blueprints = Set(scheme.matches(of: #/BlueprintIdentifier = "([^"]+)"/#).map { String($0.output.1) })
        #expect(blueprints.allSatisfy { objects[$0]?["isa"] as? String == "PBXNativeTarget" } && !blueprints.isEmpty)
        #expect(scheme.contains("container:CarboyRider.xctestplan"))
    }

    /// Every text in an object, however deep.
    private static func texts(_ value: Any) -> [String] {
        switch value {
        case let text as String: [text]
        case let list as [Any]: list.flatMap(texts)
        case let table as [String: Any]: table.flatMap { [$0.key] + texts($0.value) }
        default: []
        }
    }
}
