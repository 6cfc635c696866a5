import Carboy
import CarboyShell
import Foundation
import TestSupport
import XCTest

/// A phone with the real shell and core, the real server process that it talks to, and a system that the test plays.
@MainActor
class ShellTests: XCTestCase {
    private(set) var server: TestServer!
    private(set) var folder: URL!
    let network = StandInNetwork()
    let scheduler = StandInScheduler()
    let time = StandInTime()
    let keychain = StandInKeychain()
    let log = StandInLog()
    private var shells: [Shell] = []

    override func setUp() async throws {
        // No test waits for longer: the process ends instead.
        alarm(120)
        server = try TestServer()
        folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    override func tearDown() async throws {
        shells.forEach { $0.close() }
        server = nil
        alarm(0)
        try FileManager.default.removeItem(at: folder)
    }

    /// The app's process begins.
    func launch() -> Shell {
        let system = System(
            folder: folder, deviceName: "Swift test", network: network, scheduler: scheduler, time: time,
            keychain: keychain, log: log)
        let shell = Shell(system)
        shells.append(shell)
        return shell
    }

    /// The process ends, however it does.
    func end(_ shell: Shell) {
        shell.close()
        shells.removeAll { $0 === shell }
    }

    /// An app in front, with a rider who has just enrolled and has the plant's customers.
    func signedIn() async throws -> (shell: Shell, rider: Rider) {
        let shell = launch()
        shell.shown()
        try await shell.enrol(server: server.address, code: server.code())
        let rider = try XCTUnwrap(shell.rider)
        try await rider.syncNow()
        return (shell, rider)
    }

    func collect(_ rider: Rider) async throws {
        _ = try await rider.record { carboy in
            let customer = try XCTUnwrap(carboy.customers(search: "", after: nil, limit: 1).first).customer
            return try carboy.collectCash(customer: customer, amount: Money(minor: 100, currency: "KES"))
        }
    }

    func until(_ rider: Rider, _ isThere: @Sendable (Status) -> Bool) async throws {
        for try await status in rider.watch(query: { try $0.status() }) where isThere(status) { return }
        XCTFail("the rider was closed")
    }

    /// Waits until a request is under way, also one of a paused rider, whose sequences rest.
    func untilSending(_ rider: Rider) async throws {
        while try await rider.ask({ try $0.status().state }) != .sending { await Task.yield() }
    }

    /// The first session of `shell` that is known.
    func session(_ shell: Shell) async -> Session {
        for await session in shell.sessions {
            if case .loading = session { continue }
            return session
        }
        return .loading
    }

    var files: StoreFiles { StoreFiles(folder: folder.appendingPathComponent("accounts")) }
}

/// Who is signed in, over the process's end too.
final class SessionTests: ShellTests {
    func testAPhoneThatNobodyEnrolledHasNobodySignedIn() async throws {
        guard case .signedOut = await session(launch()) else { return XCTFail("somebody is signed in") }
    }

    func testARiderWhoEnrolledIsSignedInAgainAfterTheProcessEndsWithWhatHeRecorded() async throws {
        let (shell, rider) = try await signedIn()
        network.become(.init(isSatisfied: false))
        try await until(rider) { $0.state == .offline }
        try await collect(rider)
        end(shell)
        guard case .signedIn(let again, let identity) = await session(launch()) else { return XCTFail("nobody") }
        XCTAssertEqual(identity.server, server.address)
        XCTAssertFalse(identity.name.isEmpty)
        let report = try await again.drainFor(.seconds(30))
        XCTAssertEqual(report.settled, 1)
    }

    func testASecondEnrolmentKeepsTheRiderAndAnotherRiderTakesHisPlace() async throws {
        let (shell, rider) = try await signedIn()
        network.become(.init(isSatisfied: false))
        try await collect(rider)
        try await shell.enrol(server: server.address, code: server.code())
        let second = try XCTUnwrap(shell.rider)
        XCTAssertFalse(second === rider)
        do {
            try await collect(rider)
            XCTFail("the first rider still records")
        } catch is RiderClosedError {}
        let stored = try accounts(folder: folder.appendingPathComponent("accounts").path, keys: NoKeys())
        XCTAssertEqual(stored.count, 2)
    }

    private final class NoKeys: KeyStore {
        func load(name: String) throws -> Data? { nil }
        func save(name: String, secret: Data) throws {}
        func remove(name: String) throws {}
    }

    func testAWrongCodeChangesNothing() async throws {
        let shell = launch()
        do {
            try await shell.enrol(server: server.address, code: "0000-0000")
            XCTFail("a wrong code was accepted")
        } catch CarboyError.WrongCode {}
        guard case .signedOut = shell.session else { return XCTFail("\(shell.session)") }
    }

    func testSigningOutWithWorkToSendIsRefusedAndThenLeavesNothingBehind() async throws {
        let (shell, rider) = try await signedIn()
        network.become(.init(isSatisfied: false))
        try await until(rider) { $0.state == .offline }
        try await collect(rider)
        shell.hidden()
        XCTAssertEqual(Set(scheduler.submitted.keys), [.refresh, .drain])
        shell.shown()
        do {
            _ = try await shell.signOut(.ifDone)
            XCTFail("signed out with work to send")
        } catch CarboyError.PendingWork {}
        guard case .signedIn = shell.session else { return XCTFail("\(shell.session)") }
        network.become(.init())
        let signedOut = try await shell.signOut(.sendFirst(window: 30))
        XCTAssertEqual(signedOut, .removed)
        guard case .signedOut = shell.session else { return XCTFail("\(shell.session)") }
        XCTAssertEqual(keychain.names, [])
        XCTAssertEqual(scheduler.submitted, [:])
        guard case .signedOut = await session(launch()) else { return XCTFail("somebody is signed in") }
    }

    func testAStoreThatCannotBeOpenedIsTriedAgainWhenTheAppComesToTheFront() async throws {
        let (shell, _) = try await signedIn()
        end(shell)
        let identity = folder.appendingPathComponent("identity.json")
        let kept = try Data(contentsOf: identity)
        try Data("{".utf8).write(to: identity)
        let broken = launch()
        guard case .broken(CarboyError.Internal) = await session(broken) else { return XCTFail("\(broken.session)") }
        try kept.write(to: identity)
        broken.shown()
        for await session in broken.sessions {
            if case .signedIn = session { return }
        }
    }
}
