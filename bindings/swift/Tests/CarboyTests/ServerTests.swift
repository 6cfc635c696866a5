import Carboy
import Foundation
import XCTest

/// Phones with the real core, and the real server process that they talk to.
class ServerTests: XCTestCase {
    var server: TestServer!
    var folder: URL!

    override func setUpWithError() throws {
        // No test waits for longer: the process ends instead.
        alarm(120)
        server = try TestServer()
        folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    override func tearDownWithError() throws {
        server = nil
        alarm(0)
        try FileManager.default.removeItem(at: folder)
    }

    func enrolled(_ keys: KeyStore) async throws -> Enrolment {
        try await enrol(server: server.address, keys: keys, code: server.code(), deviceName: "Swift test")
    }

    func config(_ enrolment: Enrolment) -> Config {
        Config(
            folder: folder.path, server: server.address, plant: enrolment.plant, account: enrolment.account,
            currency: enrolment.currency)
    }

    func open(
        _ enrolment: Enrolment, _ keys: KeyStore, tokens: TokenProvider? = nil, observer: Observer? = nil
    ) throws -> Carboy {
        try Carboy.open(
            config: config(enrolment), keys: keys, tokens: tokens ?? Tokens { enrolment.token }, observer: observer)
    }

    /// A rider who has just enrolled and has the plant's customers; offline, so that nothing happens by itself.
    func rider(_ tokens: TokenProvider? = nil) async throws -> Rider {
        let keys = Keys()
        let enrolment = try await enrolled(keys)
        let first = try await Rider.open(config(enrolment), keys: keys, tokens: Tokens { enrolment.token })
        try await first.syncNow()
        first.close()
        let tokens = tokens ?? Tokens { enrolment.token }
        let rider = try await Rider.open(config(enrolment), keys: keys, tokens: tokens)
        rider.networkChanged(online: false)
        try await rider.until { $0.state == .offline }
        return rider
    }

    /// The phone of a rider who has just enrolled and has the plant's customers.
    func phone(_ keys: KeyStore = Keys()) async throws -> Carboy {
        let carboy = try open(try await enrolled(keys), keys)
        _ = try await carboy.syncNow()
        return carboy
    }

    func path(_ name: String) -> String { folder.appendingPathComponent(name).path }

    func text(_ name: String) throws -> String { try String(contentsOfFile: path(name), encoding: .utf8) }

    /// What the server holds, seen by another rider's phone: a customer's balance and the amounts that made it.
    func onTheServer(_ customer: CustomerId) async throws -> (balance: Int64, amounts: [Int64]) {
        let other = try await phone()
        let history = try other.history(customer: customer, skip: 0, limit: 200)
        return (try other.customer(customer: customer).balance.minor, history.map(\.amount.minor))
    }

    func anyCustomer(_ carboy: Carboy) throws -> CustomerId {
        try XCTUnwrap(carboy.customers(search: "", after: nil, limit: 1).first).customer
    }
}

func kes(_ minor: Int64) -> Money { Money(minor: minor, currency: "KES") }

/// Waits until something that goes with its last reference has gone.
func until(_ isThere: @Sendable () -> Bool) async throws {
    let end = Date(timeIntervalSinceNow: 10)
    while !isThere() {
        guard Date() < end else { throw Mistake() }
        await Task.yield()
    }
}

extension Rider {
    /// Waits until the status is as wanted.
    func until(_ isThere: @Sendable (Status) -> Bool) async throws {
        for try await status in watch(query: { try $0.status() }) where isThere(status) { return }
        throw Mistake()
    }

    func anyCustomer() async throws -> CustomerId {
        try await ask { try XCTUnwrap($0.customers(search: "", after: nil, limit: 1).first).customer }
    }

    func balance(_ customer: CustomerId) async throws -> Int64 {
        try await ask { try $0.customer(customer: customer).balance.minor }
    }

    func collect(_ minor: Int64, from customer: CustomerId) async throws {
        _ = try await record { try $0.collectCash(customer: customer, amount: kes(minor)) }
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
