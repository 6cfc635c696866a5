import Carboy
import Foundation
import XCTest

/// The real core, against a real server process.
final class RiderTests: XCTestCase {
    private final class Tokens: TokenProvider, @unchecked Sendable {
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

    private final class Changes: Observer, Sendable {
        let outbox = XCTestExpectation(description: "the outbox changed")

        init() { outbox.assertForOverFulfill = false }

        func changed(changes: [Change]) throws {
            if changes.contains(.outbox) { outbox.fulfill() }
        }
    }

    private struct Mistake: Error {}

    private final class Throwing: Observer, Sendable {
        func changed(changes: [Change]) throws { throw Mistake() }
    }

    private var server: TestServer!
    private var folder: URL!

    override func setUpWithError() throws {
        server = try TestServer()
        folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    override func tearDownWithError() throws {
        server.stop()
        try FileManager.default.removeItem(at: folder)
    }

    private func config(_ enrolment: Enrolment, _ name: String) -> Config {
        Config(
            path: folder.appendingPathComponent(name).path, server: server.address, plant: enrolment.plant,
            account: enrolment.account, currency: enrolment.currency)
    }

    func testARiderRecordsOfflineAndEverythingReachesTheServer() async throws {
        let enrolment = try await enrol(server: server.address, code: server.code(), deviceName: "Swift test")
        let tokens = Tokens { enrolment.token }
        let changes = Changes()
        let carboy = try Carboy.open(config: config(enrolment, "rider.db"), tokens: tokens, observer: changes)
        let first = try await carboy.syncNow()
        XCTAssertEqual(first.status.state, .idle)
        let route = try XCTUnwrap(carboy.routes().first).route
        let stops = try carboy.stops(route: route)
        let customer = stops[0].customer

        carboy.networkChanged(online: false)
        _ = try await carboy.syncNow()
        let line = DeliveredLine(product: "20L", delivered: 3, empties: 2)
        _ = try carboy.confirmDelivery(customer: customer.customer, lines: [line], proof: nil)
        _ = try carboy.collectCash(customer: customer.customer, amount: Money(minor: 20_000, currency: "KES"))
        let receipt = try carboy.updateProfile(customer: customer.customer, changes: [.phone: "0722"])
        _ = try carboy.failDelivery(customer: stops[1].customer.customer, reason: .closed, note: nil)
        XCTAssertEqual(receipt.customer.balance.minor, customer.balance.minor + 45_000 - 20_000)
        XCTAssertEqual(try carboy.status().pending, 4)
        let offline = try await carboy.syncNow()
        XCTAssertEqual(offline.status.state, .offline)

        carboy.networkChanged(online: true)
        let report = try await carboy.syncNow()
        XCTAssertEqual(report.status.pending, 0)
        XCTAssertEqual(report.status.attention, 0)
        let settled = try carboy.customer(customer: customer.customer)
        XCTAssertEqual(settled.balance, receipt.customer.balance)
        XCTAssertEqual(settled.unsettled.minor, 0)
        XCTAssertEqual(try carboy.stops(route: route)[1].visit, .failed)
        XCTAssertGreaterThan(tokens.asked, 0)
        await fulfillment(of: [changes.outbox], timeout: 10)

        // What the server holds, seen by another rider's phone.
        let other = try await enrol(server: server.address, code: server.code(), deviceName: "another phone")
        let phone = try Carboy.open(
            config: config(other, "other.db"), tokens: Tokens { other.token }, observer: nil)
        _ = try await phone.syncNow()
        XCTAssertEqual(try phone.customer(customer: customer.customer).phone, "0722")
        let amounts = try phone.history(customer: customer.customer, limit: 2).map(\.amount.minor)
        XCTAssertEqual(amounts, [-20_000, 45_000])
    }

    func testACallThatFailsSaysWhyAndLeavesNothingBehind() async throws {
        do {
            _ = try await enrol(server: server.address, code: "0000-0000", deviceName: "thief")
            XCTFail("a wrong code was accepted")
        } catch CarboyError.WrongCode {}
        let enrolment = try await enrol(server: server.address, code: server.code(), deviceName: "Swift test")
        let carboy = try Carboy.open(
            config: config(enrolment, "errors.db"), tokens: Tokens { enrolment.token }, observer: nil)
        _ = try await carboy.syncNow()
        let customer = try XCTUnwrap(carboy.customers(after: nil, limit: 1).first).customer
        let unknown = "00000000-0000-0000-0000-000000000000"
        XCTAssertThrowsError(try carboy.collectCash(customer: unknown, amount: Money(minor: 1, currency: "KES"))) {
            guard case CarboyError.UnknownCustomer = $0 else { return XCTFail("\($0)") }
        }
        let line = DeliveredLine(product: "20L", delivered: -3, empties: 0)
        XCTAssertThrowsError(try carboy.confirmDelivery(customer: customer, lines: [line], proof: nil)) {
            guard case CarboyError.Invalid(let detail) = $0 else { return XCTFail("\($0)") }
            XCTAssertEqual(detail, "bottles delivered out of range: -3 (0 to 10000)")
        }
        XCTAssertEqual(try carboy.status().pending, 0)
    }

    func testAProviderOrAnObserverThatThrowsHarmsNothing() async throws {
        let id = "01936000-0000-7000-8000-000000000001"
        let nobody = Enrolment(
            token: "", device: "", account: id, accountName: "", plant: id, plantName: "", currency: "KES")
        let signedOut = try Carboy.open(
            config: config(nobody, "out.db"), tokens: Tokens { throw TokenError.SignedOut }, observer: Throwing())
        let out = try await signedOut.syncNow()
        XCTAssertEqual(out.status.state, .needsSignIn)
        let broken = try Carboy.open(
            config: config(nobody, "broken.db"), tokens: Tokens { throw Mistake() }, observer: Throwing())
        let waiting = try await broken.syncNow()
        guard case .waiting = waiting.status.state else { return XCTFail("\(waiting.status.state)") }
    }

    private final class Refreshing: TokenProvider, @unchecked Sendable {
        private let fresh: String
        private let lock = NSLock()
        private var asked: [Bool] = []

        init(_ fresh: String) { self.fresh = fresh }

        var questions: [Bool] { lock.withLock { asked } }

        func token(refresh: Bool) async throws -> String {
            lock.withLock { asked.append(refresh) }
            return refresh ? fresh : "stale"
        }
    }

    func testARefusedTokenIsAskedForOnceMoreAsANewOne() async throws {
        let enrolment = try await enrol(server: server.address, code: server.code(), deviceName: "Swift test")
        let tokens = Refreshing(enrolment.token)
        let carboy = try Carboy.open(config: config(enrolment, "stale.db"), tokens: tokens, observer: nil)
        let report = try await carboy.syncNow()
        XCTAssertEqual(report.status.state, .idle)
        XCTAssertEqual(tokens.questions, [false, true])
    }

    func testWhatWasRecordedIsThereAfterClosingAndOpeningAgainAndIsSentThen() async throws {
        let enrolment = try await enrol(server: server.address, code: server.code(), deviceName: "Swift test")
        let tokens = Tokens { enrolment.token }
        var closing: Carboy? = try Carboy.open(
            config: config(enrolment, "again.db"), tokens: tokens, observer: nil)
        let recorded = try await recordOffline(XCTUnwrap(closing))
        weak var closed = closing
        closing = nil
        XCTAssertNil(closed)
        let carboy = try Carboy.open(config: config(enrolment, "again.db"), tokens: tokens, observer: nil)
        XCTAssertEqual(try carboy.customer(customer: recorded.customer).balance, recorded.balance)
        let report = try await carboy.syncNow()
        XCTAssertEqual(report.status.pending, 0)
        XCTAssertEqual(try carboy.customer(customer: recorded.customer).balance, recorded.balance)
        let newest = try XCTUnwrap(carboy.history(customer: recorded.customer, limit: 1).first)
        XCTAssertEqual(newest.amount.minor, -700)
        XCTAssertTrue(newest.settled)
    }

    private func recordOffline(_ carboy: Carboy) async throws -> Customer {
        _ = try await carboy.syncNow()
        carboy.networkChanged(online: false)
        let customer = try XCTUnwrap(carboy.customers(after: nil, limit: 1).first).customer
        return try carboy.collectCash(customer: customer, amount: Money(minor: 700, currency: "KES")).customer
    }
}
