import Carboy
import Foundation
import XCTest

/// What crosses the border, and who may fail beyond it.
final class RiderTests: ServerTests {
    private final class Changes: Observer, Sendable {
        let outbox = XCTestExpectation(description: "the outbox changed")

        init() { outbox.assertForOverFulfill = false }

        func changed(changes: [Change]) throws {
            if changes.contains(.outbox) { outbox.fulfill() }
        }
    }

    private final class Throwing: Observer, Sendable {
        func changed(changes: [Change]) throws { throw Mistake() }
    }

    private let keys = Keys()

    func testARiderRecordsOfflineAndEverythingReachesTheServer() async throws {
        let enrolment = try await enrolled(keys)
        let tokens = Tokens { enrolment.token }
        let changes = Changes()
        let carboy = try open(enrolment, keys, tokens: tokens, observer: changes)
        let first = try await carboy.syncNow()
        XCTAssertEqual(first.status.state, .idle)
        let route = try XCTUnwrap(carboy.routes().first).route
        let stops = try carboy.stops(route: route)
        let customer = stops[0].customer

        carboy.networkChanged(online: false)
        _ = try await carboy.syncNow()
        let line = DeliveredLine(product: ProductCode("20L"), delivered: 3, empties: 2)
        _ = try carboy.confirmDelivery(customer: customer.customer, lines: [line], proof: nil, photos: [])
        _ = try carboy.collectCash(customer: customer.customer, amount: kes(20_000))
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
        XCTAssertEqual(try carboy.stops(route: route)[1].state, .failed)
        XCTAssertGreaterThan(tokens.asked, 0)
        await fulfillment(of: [changes.outbox], timeout: 10)

        // What the server holds, seen by another rider's phone.
        let other = try await enrolled(keys)
        let phone = try open(other, keys)
        _ = try await phone.syncNow()
        XCTAssertEqual(try phone.customer(customer: customer.customer).phone, "0722")
        let amounts = try phone.history(customer: customer.customer, skip: 0, limit: 2).map(\.amount.minor)
        XCTAssertEqual(amounts, [-20_000, 45_000])
    }

    func testACallThatFailsSaysWhyAndLeavesNothingBehind() async throws {
        do {
            _ = try await enrol(server: server.address, keys: keys, code: "0000-0000", deviceName: "thief")
            XCTFail("a wrong code was accepted")
        } catch CarboyError.WrongCode {}
        let enrolment = try await enrolled(keys)
        let carboy = try open(enrolment, keys)
        _ = try await carboy.syncNow()
        let customer = try anyCustomer(carboy)
        let unknown = CustomerId("00000000-0000-0000-0000-000000000000")
        XCTAssertThrowsError(try carboy.collectCash(customer: unknown, amount: kes(1))) {
            guard case CarboyError.UnknownCustomer = $0 else { return XCTFail("\($0)") }
        }
        let line = DeliveredLine(product: ProductCode("20L"), delivered: -3, empties: 0)
        XCTAssertThrowsError(try carboy.confirmDelivery(customer: customer, lines: [line], proof: nil, photos: [])) {
            guard case CarboyError.Invalid(let detail) = $0 else { return XCTFail("\($0)") }
            XCTAssertEqual(detail, "bottles delivered out of range: -3 (0 to 10000)")
        }
        XCTAssertEqual(try carboy.status().pending, 0)
    }

    func testAProviderOrAnObserverThatThrowsHarmsNothing() async throws {
        let ids = (1...2).map { "01936000-0000-7000-8000-00000000000\($0)" }
        let nobodies = ids.map {
            Enrolment(
                token: "", device: DeviceId(""), account: AccountId($0), accountName: "", plant: PlantId($0),
                plantName: "", currency: "KES")
        }
        let signedOut = try open(nobodies[0], keys, tokens: Tokens { throw TokenError.SignedOut }, observer: Throwing())
        let out = try await signedOut.syncNow()
        XCTAssertEqual(out.status.state, .needsSignIn)
        let broken = try open(nobodies[1], keys, tokens: Tokens { throw Mistake() }, observer: Throwing())
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
        let enrolment = try await enrolled(keys)
        let tokens = Refreshing(enrolment.token)
        let carboy = try open(enrolment, keys, tokens: tokens)
        let report = try await carboy.syncNow()
        XCTAssertEqual(report.status.state, .idle)
        XCTAssertEqual(tokens.questions, [false, true])
    }

    func testWhatWasRecordedIsThereAfterClosingAndOpeningAgainAndIsSentThen() async throws {
        let enrolment = try await enrolled(keys)
        let tokens = Tokens { enrolment.token }
        var closing: Carboy? = try open(enrolment, keys, tokens: tokens)
        let recorded = try await recordOffline(XCTUnwrap(closing))
        weak var closed = closing
        closing = nil
        XCTAssertNil(closed)
        let carboy = try open(enrolment, keys, tokens: tokens)
        XCTAssertEqual(try carboy.customer(customer: recorded.customer).balance, recorded.balance)
        let report = try await carboy.syncNow()
        XCTAssertEqual(report.status.pending, 0)
        XCTAssertEqual(try carboy.customer(customer: recorded.customer).balance, recorded.balance)
        let newest = try XCTUnwrap(carboy.history(customer: recorded.customer, skip: 0, limit: 1).first)
        XCTAssertEqual(newest.amount.minor, -700)
        XCTAssertTrue(newest.settled)
    }

    private func recordOffline(_ carboy: Carboy) async throws -> Customer {
        _ = try await carboy.syncNow()
        carboy.networkChanged(online: false)
        let customer = try anyCustomer(carboy)
        return try carboy.collectCash(customer: customer, amount: kes(700)).customer
    }
}
