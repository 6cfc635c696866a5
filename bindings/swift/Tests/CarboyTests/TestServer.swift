import Foundation

/// A real server process with a sample plant, in a folder of its own.
final class TestServer {
    let address: String
    private var codes: [String]
    private let process: Process
    private let folder: URL

    init() throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        let seeding = try Self.start(folder, ["seed", "--customers", "6", "--routes", "1", "--riders", "6"])
        let sample = String(decoding: seeding.output.readDataToEndOfFile(), as: UTF8.self)
        seeding.process.waitUntilExit()
        codes = sample.split(separator: "\n").filter { $0.contains("\"enrol_code\"") }.map {
            String($0.split(separator: "\"").last { $0 != "," } ?? "")
        }
        let serving = try Self.start(folder, ["serve", "--listen", "127.0.0.1:0"])
        process = serving.process
        var line = ""
        while !line.hasSuffix("\n") {
            let byte = serving.output.readData(ofLength: 1)
            if byte.isEmpty { throw Silent() }
            line += String(decoding: byte, as: UTF8.self)
        }
        address = line.replacingOccurrences(of: "listening on ", with: "").trimmingCharacters(in: .newlines)
    }

    struct Silent: Error {}

    /// A one-time code of a rider who has not enrolled yet.
    func code() -> String { codes.removeFirst() }

    /// From now on requests reach the server and are not answered.
    func freeze() { kill(process.processIdentifier, SIGSTOP) }

    /// What was held up goes on.
    func thaw() { kill(process.processIdentifier, SIGCONT) }

    func stop() {
        thaw()
        process.terminate()
        process.waitUntilExit()
        try? FileManager.default.removeItem(at: folder)
    }

    private static func start(_ folder: URL, _ arguments: [String]) throws -> (process: Process, output: FileHandle) {
        guard let program = ProcessInfo.processInfo.environment["CARBOY_SERVER"] else { throw Silent() }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments + ["--data", folder.path]
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        return (process, pipe.fileHandleForReading)
    }
}
