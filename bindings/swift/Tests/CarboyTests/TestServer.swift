// A real server process with a sample plant, in a folder of its own.

import Carboy
import Foundation

#if canImport(FoundationNetworking)
import FoundationNetworking
#endif

/// What a test waited for in vain, or could not do without.
public struct TestFailure: Error, CustomStringConvertible {
    public let description: String

    public init(_ description: String) { self.description = description }
}

public final class TestServer: @unchecked Sendable {
    public let address: String
    private var codes: [String]
    private let managerToken: String
    private let process: Process
    private let folder: URL

    public init(customers: Int = 6) throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        let seeding = try Self.start(folder, ["seed", "--customers", "\(customers)", "--routes", "1", "--riders", "6"])
        let sample = try JSONDecoder().decode(Sample.self, from: Self.all(seeding.output))
        seeding.process.waitUntilExit()
        codes = sample.riders.map(\.enrol_code)
        managerToken = sample.manager.token
        let serving = try Self.start(folder, ["serve", "--listen", "127.0.0.1:0"])
        process = serving.process
        address = try Self.firstLine(serving.output).replacingOccurrences(of: "listening on ", with: "")
    }

    private struct Sample: Decodable {
        struct Rider: Decodable { let enrol_code: String }
        struct Manager: Decodable { let token: String }

        let riders: [Rider]
        let manager: Manager
    }

    /// From now on requests reach the server and are not answered.
    public func freeze() { kill(process.processIdentifier, SIGSTOP) }

    /// What was held up goes on.
    public func thaw() { kill(process.processIdentifier, SIGCONT) }

    deinit {
        // Asked to end, it would first finish what phones hold open.
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
        try? FileManager.default.removeItem(at: folder)
    }

    /// A one-time code of a rider who has not enrolled yet.
    public func code() -> String { codes.removeFirst() }

    /// What the dashboard's QR code for it holds, with the way to the server over `address`.
    public func link(_ code: String, over address: String) -> String {
        let server = address.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
        return "carboy://enrol?server=\(server)&code=\(code)"
    }

    /// The manager puts an amount on a customer's ledger.
    public func adjust(_ customer: CustomerId, by minor: Int64, reason: String) async throws {
        let mutation: [String: Any] = [
            "v": 1, "txn": UUID().uuidString.lowercased(), "at": 0, "kind": "adjust_balance",
            "customer": customer.text, "amount": ["minor": minor, "currency": "KES"], "reason": reason,
        ]
        var request = URLRequest(url: URL(string: "\(address)/v1/manage/mutations")!)
        request.timeoutInterval = 30
        request.httpMethod = "POST"
        request.setValue("Bearer \(managerToken)", forHTTPHeaderField: "Authorization")
        request.setValue("application/json", forHTTPHeaderField: "Content-Type")
        request.setValue("1", forHTTPHeaderField: "Carboy-Protocol")
        request.httpBody = try JSONSerialization.data(withJSONObject: mutation)
        let (body, response) = try await URLSession.shared.data(for: request)
        guard (response as? HTTPURLResponse)?.statusCode == 200 else {
            throw TestFailure("the server answered \(response): \(String(decoding: body, as: UTF8.self))")
        }
    }

    private static func start(_ folder: URL, _ arguments: [String]) throws -> (process: Process, output: FileHandle) {
        guard let program = ProcessInfo.processInfo.environment["CARBOY_SERVER"] else {
            throw TestFailure("CARBOY_SERVER does not name the server's program")
        }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments + ["--data", folder.path]
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        return (process, pipe.fileHandleForReading)
    }

    /// The first line of `output`, which has to come within half a minute.
    public static func firstLine(_ output: FileHandle) throws -> String {
        var line = Data()
        while let byte = try next(output, 1) {
            if byte == Data("\n".utf8) { return String(decoding: line, as: UTF8.self) }
            line += byte
        }
        throw TestFailure("the process ended after “\(String(decoding: line, as: UTF8.self))”")
    }

    private static func all(_ output: FileHandle) throws -> Data {
        var text = Data()
        while let more = try next(output, 64 * 1_024) { text += more }
        return text
    }

    /// What comes next of `output`, within half a minute; nothing at its end.
    private static func next(_ output: FileHandle, _ length: Int) throws -> Data? {
        var waited = pollfd(fd: output.fileDescriptor, events: Int16(POLLIN), revents: 0)
        guard poll(&waited, 1, 30_000) == 1 else { throw TestFailure("the process said nothing for half a minute") }
        return try output.read(upToCount: length)
    }
}
