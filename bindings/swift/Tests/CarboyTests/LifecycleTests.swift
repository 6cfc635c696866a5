import Carboy
import Foundation
import XCTest

/// Suspended, signed out, several riders on one phone, and what support gets to see.
final class LifecycleTests: ServerTests {
    func testAPausedPhoneRecordsIsDrainedInABackgroundWindowAndGoesOnWhenResumed() async throws {
        let carboy = try await phone()
        let customer = try anyCustomer(carboy)
        carboy.pause()
        _ = try carboy.collectCash(customer: customer, amount: kes(100))
        let paused = try await carboy.syncNow()
        XCTAssertEqual(paused.status.state, .paused)
        XCTAssertEqual(try carboy.status().pending, 1)
        let drained = try await carboy.drainFor(window: 10)
        XCTAssertEqual(drained.settled, 1)
        XCTAssertEqual(try carboy.status().state, .paused)

        _ = try carboy.collectCash(customer: customer, amount: kes(100))
        carboy.resume()
        let report = try await carboy.syncNow()
        XCTAssertEqual(report.status.pending, 0)
        XCTAssertEqual(report.status.state, .idle)
    }

    func testSigningOutWithWorkToSendIsRefusedThenSendsItAndLeavesNothingBehind() async throws {
        let keys = Keys()
        let carboy = try await phone(keys)
        carboy.networkChanged(online: false)
        _ = try carboy.collectCash(customer: anyCustomer(carboy), amount: kes(100))
        do {
            _ = try await carboy.signOut(choice: .ifDone)
            XCTFail("signed out with work to send")
        } catch CarboyError.PendingWork(let mutations, let photos, _, _) {
            XCTAssertEqual([mutations, photos], [1, 0])
        }
        carboy.networkChanged(online: true)
        let signedOut = try await carboy.signOut(choice: .sendFirst(window: 10))
        XCTAssertEqual(signedOut, .removed)
        XCTAssertThrowsError(try carboy.day()) {
            guard case CarboyError.SignedOut = $0 else { return XCTFail("\($0)") }
        }
        XCTAssertEqual(try accounts(folder: folder.path, keys: keys), [])
        XCTAssertTrue(keys.isEmpty)
    }

    func testASecondRiderSignsInWhileTheFirstOnesWorkIsKeptSealedOrExported() async throws {
        let keys = Keys()
        let first = try await enrolled(keys)
        let carboy = try open(first, keys)
        carboy.networkChanged(online: false)
        _ = try carboy.startShift(route: nil)
        try carboy.exportOutbox(path: path("outbox.jsonl"))
        let sealed = try await carboy.signOut(choice: .export(path: path("again.jsonl")))
        XCTAssertEqual(sealed, .sealed(pending: 1))
        XCTAssertTrue(try text("outbox.jsonl").contains("start_shift"))
        XCTAssertEqual(try text("outbox.jsonl"), try text("again.jsonl"))

        _ = try await phone(keys)
        let stored = try accounts(folder: folder.path, keys: keys)
        XCTAssertEqual(stored.count, 2)
        XCTAssertEqual(stored.filter { $0.pending == 1 }.map(\.account), [first.account])
        let again = try open(first, keys)
        let report = try await again.syncNow()
        XCTAssertEqual(report.status.pending, 0)
        XCTAssertEqual(try again.records(before: nil, limit: 10).map(\.state), [.applied])
    }

    func testDiagnosticsTellOfARecordWithoutWhatIsPersonalInIt() async throws {
        let carboy = try await phone()
        let fields: [Field: String] = [.name: "Wanjiru Kamau", .phone: "0733123456"]
        let receipt = try carboy.addCustomer(fields: fields, route: nil)
        try carboy.exportDiagnostics(path: path("diagnostics.json"))
        let told = try text("diagnostics.json")
        XCTAssertTrue(told.contains(receipt.txn.text))
        XCTAssertFalse(told.contains("Wanjiru") || told.contains("0733123456"))
    }

    /// Throws at the first line, and waits for one that speaks of a mutation.
    private final class Sink: LogSink, @unchecked Sendable {
        let told = XCTestExpectation(description: "a line with a mutation's id")
        private let lock = NSLock()
        private var isFirst = true

        init() { told.assertForOverFulfill = false }

        func log(level: LogLevel, target: String, line: String) throws {
            let wasFirst = lock.withLock {
                defer { isFirst = false }
                return isFirst
            }
            if wasFirst { throw Mistake() }
            if level == .debug && target.hasPrefix("carboy") && line.contains("txn_id=") { told.fulfill() }
        }
    }

    func testALogSinkGetsLinesWithTheMutationThatTheyAreAboutAndMayThrow() async throws {
        let carboy = try await phone()
        for sink in [Sink(), Sink()] {
            try setLogSink(sink: sink, level: .debug)
            for _ in 1...2 {
                _ = try carboy.startShift(route: nil)
                _ = try carboy.finishShift()
            }
            await fulfillment(of: [sink.told], timeout: 10)
        }
        try setLogSink(sink: Sink(), level: .error)
    }

    func testAKeyStoreThatThrowsFailsTheCallThatNeedsItAndNothingElse() async throws {
        let keys = Keys()
        let enrolment = try await enrolled(keys)
        let carboy = try open(enrolment, keys)
        _ = try await carboy.syncNow()
        for mistake in [Mistake(), KeyStoreError.Failed(detail: "the phone is locked")] as [Error] {
            keys.fail(mistake)
            _ = try carboy.loadStock(lines: [StockLine(product: ProductCode("20L"), full: 1, empty: 0)])
            XCTAssertThrowsError(try carboy.exportOutbox(path: path("outbox.jsonl"))) {
                guard case CarboyError.KeyStoreFailed = $0 else { return XCTFail("\($0)") }
            }
            let waiting = try await carboy.syncNow()
            guard case .waiting(.store, _, _) = waiting.status.state else { return XCTFail("\(waiting)") }
            keys.fail(nil)
            let report = try await carboy.syncNow()
            XCTAssertEqual(report.status.pending, 0)
        }
    }
}
