import Carboy
import Foundation
import XCTest

/// Phones with the real core, and the real server process that they talk to.
class ServerTests: XCTestCase {
    var server: TestServer!
    var folder: URL!

    override func setUpWithError() throws {
        server = try TestServer()
        folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    override func tearDownWithError() throws {
        server.stop()
        try FileManager.default.removeItem(at: folder)
    }

    func enrolled(_ keys: KeyStore) async throws -> Enrolment {
        try await enrol(server: server.address, keys: keys, code: server.code(), deviceName: "Swift test")
    }

    func open(
        _ enrolment: Enrolment, _ keys: KeyStore, tokens: TokenProvider? = nil, observer: Observer? = nil
    ) throws -> Carboy {
        let config = Config(
            folder: folder.path, server: server.address, plant: enrolment.plant, account: enrolment.account,
            currency: enrolment.currency)
        return try Carboy.open(
            config: config, keys: keys, tokens: tokens ?? Tokens { enrolment.token }, observer: observer)
    }

    /// The phone of a rider who has just enrolled and has the plant's customers.
    func phone(_ keys: KeyStore = Keys()) async throws -> Carboy {
        let carboy = try open(try await enrolled(keys), keys)
        _ = try await carboy.syncNow()
        return carboy
    }

    func path(_ name: String) -> String { folder.appendingPathComponent(name).path }

    func text(_ name: String) throws -> String { try String(contentsOfFile: path(name), encoding: .utf8) }

    func kes(_ minor: Int64) -> Money { Money(minor: minor, currency: "KES") }

    func anyCustomer(_ carboy: Carboy) throws -> CustomerId {
        try XCTUnwrap(carboy.customers(search: "", after: nil, limit: 1).first).customer
    }
}

final class Tokens: TokenProvider, @unchecked Sendable {
    private let answer: @Sendable () throws -> String
    private let lock = NSLock()
    private var count = 0

    init(_ answer: @escaping @Sendable () throws -> String) { self.answer = answer }

    var asked: Int { lock.withLock { count } }

    func token(refresh: Bool) async throws -> String {
        lock.withLock { count += 1 }
        return try answer()
    }
}

/// Keeps secrets in memory, and throws while it is locked.
final class Keys: KeyStore, @unchecked Sendable {
    private let lock = NSLock()
    private var secrets: [String: Data] = [:]
    private var mistake: Error?

    var isEmpty: Bool { lock.withLock { secrets.isEmpty } }

    func fail(_ error: Error?) { lock.withLock { mistake = error } }

    func load(name: String) throws -> Data? { try unlocked { secrets[name] } }

    func save(name: String, secret: Data) throws { try unlocked { secrets[name] = secret } }

    func remove(name: String) throws { _ = try unlocked { secrets.removeValue(forKey: name) } }

    private func unlocked<T>(_ work: () -> T) throws -> T {
        try lock.withLock {
            if let mistake { throw mistake }
            return work()
        }
    }
}

struct Mistake: Error {}
