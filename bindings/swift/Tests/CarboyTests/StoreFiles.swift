import Foundation
import XCTest

/// A phone's files in a folder, as the kernel sees them: asked of /proc, which only Linux has.
struct StoreFiles {
    let folder: URL

    /// The lines of /proc/locks about these files.
    func locks() throws -> [String] {
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.contains(".db") }
        let inodes = try names.map {
            let attributes = try FileManager.default.attributesOfItem(atPath: folder.appendingPathComponent($0).path)
            return try XCTUnwrap(attributes[.systemFileNumber] as? NSNumber).uint64Value
        }
        let lines = try String(contentsOfFile: "/proc/locks", encoding: .utf8).split(separator: "\n").map(String.init)
        return lines.filter { line in inodes.contains { line.contains(":\($0) ") } }
    }

    /// Those that this process has open.
    func opened() throws -> [String] {
        let handles = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")
        let files = handles.compactMap {
            try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\($0)")
        }
        return files.filter { $0.hasPrefix(folder.path) && $0.contains(".db") }
    }
}
