import Carboy
import Foundation
import XCTest

/// Calls that are cancelled, and calls that meet a rider who is being closed.
final class CallsTests: ServerTests {
    /// A token provider that says when it is asked, and answers when it may.
    private final class Gate: TokenProvider, Sendable {
        private let asked = AsyncStream<Void>.makeStream()
        private let opened = AsyncStream<Void>.makeStream()

        func untilAsked() async { for await _ in asked.stream { return } }

        func open() { opened.continuation.finish() }

        func token(refresh: Bool) async throws -> String {
            asked.continuation.yield()
            for await _ in opened.stream {}
            throw TokenError.SignedOut
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
        let gate = Gate()
        let rider = try await rider(gate)
        let core = try await rider.ask { Weak($0) }
        rider.networkChanged(online: true)
        let drain = Task { try await rider.drainFor(.seconds(600)) }
        await gate.untilAsked()
        rider.close()
        guard case .failure(is RiderClosedError) = await drain.result else { return XCTFail("it had an end") }
        // Nobody waits for the ten minutes: the abandoned exchange ends, and with it the core.
        while core.value != nil { await Task.yield() }
        gate.open()
    }

    private final class Weak: @unchecked Sendable {
        weak var value: Carboy?

        init(_ value: Carboy) { self.value = value }
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
