import Carboy
import Foundation
import XCTest

/// Calls that are cancelled, and calls that meet a rider who is being closed.
final class CallsTests: ServerTests {
    /// A token provider that never answers, and counts how often it was asked.
    private final class Silent: TokenProvider, @unchecked Sendable {
        private let lock = NSLock()
        private var count = 0

        var asked: Int { lock.withLock { count } }

        func token(refresh: Bool) async throws -> String {
            lock.withLock { count += 1 }
            while true {
                try Task.checkCancellation()
                await Task.yield()
            }
        }
    }

    func testAnActionThatWasCancelledBeforeItBeganIsNotDone() async throws {
        let rider = try await rider()
        let customer = try await rider.anyCustomer()
        let tap = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            try await rider.collect(100, from: customer)
        }
        guard case .failure(is CancellationError) = await tap.result else { return XCTFail("recorded") }
        let pending = try await rider.ask { try $0.status().pending }
        XCTAssertEqual(pending, 0)
    }

    func testAnActionThatWasCancelledUnderWayIsOnThePhoneAndTellsSo() async throws {
        let rider = try await rider()
        let customer = try await rider.anyCustomer()
        let (begun, begin) = AsyncStream<Void>.makeStream()
        let gate = DispatchSemaphore(value: 0)
        let tap = Task {
            try await rider.record {
                begin.finish()
                gate.wait()
                return try $0.collectCash(customer: customer, amount: kes(100)).code
            }
        }
        for await _ in begun {}
        tap.cancel()
        gate.signal()
        let code = try await tap.value
        let records = try await rider.ask { try $0.records(before: nil, limit: 5) }
        XCTAssertEqual(records.map(\.code), [code])
    }

    func testDrainsAndSyncsCancelledAtAnyMomentLoseNothingAndSendNothingTwice() async throws {
        let rider = try await rider()
        let customer = try await rider.anyCustomer()
        let owed = try await rider.balance(customer)
        rider.networkChanged(online: true)
        for moment in 1...40 {
            let drain = Task { _ = moment % 2 == 0 ? try await rider.drainFor(.seconds(30)) : try await rider.syncNow() }
            try await rider.collect(100, from: customer)
            if moment % 3 == 0 { try await rider.until { $0.state == .sending || $0.pending == 0 } }
            drain.cancel()
            if case .failure(let error) = await drain.result { XCTAssertTrue(error is CancellationError, "\(error)") }
        }
        let report = try await rider.drainFor(.seconds(30))
        XCTAssertEqual(report.status.pending, 0)
        let held = try await onTheServer(customer)
        XCTAssertEqual(held.balance, owed - 4_000)
        XCTAssertEqual(held.amounts.filter { $0 == -100 }.count, 40)
    }

    func testWhoGivesUpWaitingForADrainIsFreeAtOnceAndALaterDrainSendsEverything() async throws {
        let rider = try await rider()
        let customer = try await rider.anyCustomer()
        try await rider.collect(100, from: customer)
        server.freeze()
        rider.networkChanged(online: true)
        let drain = Task { try await rider.drainFor(.seconds(60)) }
        try await rider.until { $0.state == .sending }
        drain.cancel()
        guard case .failure(is CancellationError) = await drain.result else { return XCTFail("it had an end") }
        XCTAssertEqual(rider.status.pending, 1)
        server.thaw()
        let report = try await rider.drainFor(.seconds(30))
        XCTAssertEqual(report.status.pending, 0)
        let held = try await onTheServer(customer)
        XCTAssertEqual(held.amounts.filter { $0 == -100 }.count, 1)
    }

    func testWhoWaitsForAnExchangeIsToldWhenTheRiderIsClosedAndTheCoreGoes() async throws {
        let tokens = Silent()
        let rider = try await rider(tokens)
        let before = tokens.asked
        rider.networkChanged(online: true)
        let drain = Task { try await rider.drainFor(.seconds(600)) }
        try await until { tokens.asked > before }
        rider.close()
        guard case .failure(is RiderClosedError) = await drain.result else { return XCTFail("it had an end") }
        #if os(Linux)
        // Nobody waits for the ten minutes: the abandoned exchange ends, and lets go of the core and its file.
        let files = StoreFiles(folder: folder)
        try await until { (try? files.opened()) == [] }
        #endif
    }

    func testEveryCallOnAClosedRiderSaysSoAndClosingTwiceDoesNothing() async throws {
        let rider = try await rider()
        rider.close()
        rider.close()
        let calls: [@Sendable () async throws -> Void] = [
            { _ = try await rider.ask { try $0.day() } },
            { _ = try await rider.record { try $0.startShift(route: nil) } },
            { _ = try await rider.syncNow() },
            { _ = try await rider.drainFor(.seconds(1)) },
            { _ = try await rider.signOut(.ifDone) },
        ]
        for call in calls {
            do {
                try await call()
                XCTFail("a closed rider took a call")
            } catch is RiderClosedError {}
        }
        rider.networkChanged(online: true)
        rider.pause()
        rider.resume()
    }

    func testSigningOutClosesTheRiderEvenIfNobodyWaitsForIt() async throws {
        let rider = try await rider()
        rider.networkChanged(online: true)
        let leaving = Task { try await rider.signOut(.sendFirst(window: 10)) }
        leaving.cancel()
        // Whether the cancelling came before the beginning or not decides who closes it.
        if case .failure = await leaving.result { _ = try? await rider.signOut(.ifDone) }
        do {
            _ = try await rider.ask { try $0.day() }
            XCTFail("a rider who has signed out took a call")
        } catch is RiderClosedError {
        } catch CarboyError.SignedOut {}
    }
}
