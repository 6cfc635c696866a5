import Carboy
import Foundation
import Observation
import XCTest

/// What sequences give, and when they end.
final class WatchTests: ServerTests {
    func testAQueryIsAskedAtOnceAndAgainAfterAChangeOfItsKinds() async throws {
        let rider = try await rider()
        let customer = try await rider.anyCustomer()
        var pending = rider.watch(.outbox) { try $0.status().pending }.makeAsyncIterator()
        for expected in 0...3 {
            let next = try await pending.next()
            XCTAssertEqual(next, UInt64(expected))
            try await rider.collect(100, from: customer)
        }
    }

    func testAnAnswerThatAChangeLeftAsItWasDoesNotComeTwice() async throws {
        let rider = try await rider()
        let customer = try await rider.anyCustomer()
        var names = rider.watch { try $0.customer(customer: customer).name }.makeAsyncIterator()
        _ = try await names.next()
        for number in 1...5 {
            _ = try await rider.record { try $0.updateProfile(customer: customer, changes: [.phone: "08\(number)"]) }
        }
        _ = try await rider.record { try $0.updateProfile(customer: customer, changes: [.name: "Mama Otieno"]) }
        let next = try await names.next()
        XCTAssertEqual(next, "Mama Otieno")
    }

    func testASlowReaderGetsTheNewestAndMissesThoseBetween() async throws {
        let rider = try await rider()
        let customer = try await rider.anyCustomer()
        var pending = rider.watch(.outbox) { try $0.status().pending }.makeAsyncIterator()
        _ = try await pending.next()
        for _ in 1...50 { try await rider.collect(1, from: customer) }
        try await rider.until { $0.pending == 50 }
        let next = try await pending.next()
        XCTAssertEqual(next, 50)
    }

    func testAQueryThatFailsFailsItsSequenceAndNoOther() async throws {
        let rider = try await rider()
        let unknown = CustomerId("00000000-0000-0000-0000-000000000000")
        var other = rider.watch { try $0.status().pending }.makeAsyncIterator()
        do {
            for try await _ in rider.watch(query: { try $0.customer(customer: unknown) }) { XCTFail("found") }
            XCTFail("ended")
        } catch CarboyError.UnknownCustomer {}
        let next = try await other.next()
        XCTAssertEqual(next, 0)
    }

    func testSequencesEndWhenTheReaderIsCancelledOrTheRiderIsClosedOrSignedOut() async throws {
        for end in [{ (rider: Rider, reader: Task<Int, any Error>) in reader.cancel() },
            { rider, _ in rider.close() },
            { rider, _ in _ = try await rider.signOut(.keepSealed) }] as [(Rider, Task<Int, any Error>) async throws -> Void] {
            let rider = try await rider()
            let (begun, begin) = AsyncStream<Void>.makeStream()
            let reader = Task {
                var days = 0
                for try await _ in rider.watch(query: { try $0.day() }) {
                    days += 1
                    begin.finish()
                }
                return days
            }
            for await _ in begun {}
            try await end(rider, reader)
            let days = try await reader.value
            XCTAssertEqual(days, 1)
        }
    }

    func testAScreenReadsASequenceAndItsOwnStateWithoutLeavingTheMainActor() async throws {
        let rider = try await rider()
        let shown = try await Self.screen(rider, try await rider.anyCustomer())
        XCTAssertEqual(shown, [0, 1])
    }

    @MainActor
    private static func screen(_ rider: Rider, _ customer: CustomerId) async throws -> [UInt64] {
        var shown: [UInt64] = []
        for try await pending in rider.watch(.outbox, query: { try $0.status().pending }) {
            shown.append(pending)
            if pending == 1 { break }
            try await rider.collect(100, from: customer)
        }
        return shown
    }

    func testTheStatusIsObservableAndFollows() async throws {
        let rider = try await rider()
        let customer = try await rider.anyCustomer()
        let changed = expectation(description: "the status changed")
        changed.assertForOverFulfill = false
        XCTAssertEqual(rider.status.pending, 0)
        Self.whenPending(1, rider) { changed.fulfill() }
        try await rider.collect(100, from: customer)
        await fulfillment(of: [changed], timeout: 10)
    }

    /// Tells when the status that is observed has so many records waiting: the first change may be one of the opening.
    private static func whenPending(_ count: UInt64, _ rider: Rider, _ told: @escaping @Sendable () -> Void) {
        let pending = withObservationTracking { rider.status.pending } onChange: {
            // Whoever reads now, on any thread, gets what it changed to.
            whenPending(count, rider, told)
        }
        if pending == count { told() }
    }
}
