// A phone's files in a folder, as the kernel sees them: asked of /proc, which only Linux has.

import Foundation

public struct StoreFiles: Sendable {
    let folder: URL

    public init(folder: URL) { self.folder = folder }

    /// The lines of /proc/locks about these files.
    public func locks() throws -> [String] {
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.contains(".db") }
        let inodes = try names.map { name in
            let attributes = try FileManager.default.attributesOfItem(atPath: folder.appendingPathComponent(name).path)
            guard let inode = attributes[.systemFileNumber] as? NSNumber else { throw TestFailure("\(name): no inode") }
            return inode.uint64Value
        }
        let lines = try String(contentsOfFile: "/proc/locks", encoding: .utf8).split(separator: "\n").map(String.init)
        return lines.filter { line in inodes.contains { line.contains(":\($0) ") } }
    }

    /// Those that this process has open.
    public func opened() throws -> [String] {
        let handles = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")
        let files = handles.compactMap {
            try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\($0)")
        }
        return files.filter { $0.hasPrefix(folder.path) && $0.contains(".db") }
    }

    /// Returns once this process has none of them open: a core that was let go of closes them when its last call ends.
    public func closed() async throws {
        let deadline = ContinuousClock.now + .seconds(30)
        while try !opened().isEmpty {
            guard ContinuousClock.now < deadline else { throw TestFailure("open for half a minute: \(try opened())") }
            try await Task.sleep(for: .milliseconds(1))
        }
    }
}
