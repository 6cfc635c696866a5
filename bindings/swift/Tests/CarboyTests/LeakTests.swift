import Carboy
import Foundation
import XCTest

/// What crosses the border often leaves nothing behind: objects, threads, memory.
final class LeakTests: ServerTests {
    /// How many of what the app gives to the core are there.
    private final class Count: @unchecked Sendable {
        private let lock = NSLock()
        private var count = 0

        var value: Int { lock.withLock { count } }

        func add(_ number: Int) { lock.withLock { count += number } }
    }

    /// Never gets as far as a request, so that a round of it costs no network.
    private final class CountedTokens: TokenProvider, Sendable {
        private let count: Count

        init(_ count: Count) {
            self.count = count
            count.add(1)
        }

        deinit { count.add(-1) }

        func token(refresh: Bool) async throws -> String { throw TokenError.SignedOut }
    }

    func testTenThousandObservedChangesLeaveNoObjectNoThreadAndNoMemory() async throws {
        let count = Count()
        let keys = Keys()
        let enrolment = try await enrolled(keys)
        weak var forgotten: Rider?
        try await {
            let rider = try await Rider.open(self.config(enrolment), keys: keys, tokens: CountedTokens(count))
            forgotten = rider
            try await self.toggle(rider, 100)
            let (futures, threads, memory) = (self.futures, try self.status("Threads"), try self.status("VmRSS"))
            // Each of the two changes is seen before the next one comes: none is coalesced with it.
            try await self.toggle(rider, 5_000)
            XCTAssertEqual(self.futures, futures)
            XCTAssertLessThanOrEqual(try self.status("Threads"), threads + 2)
            let grown = try self.status("VmRSS") - memory
            XCTAssertLessThan(grown, 4_000, "kilobytes")
            XCTAssertEqual(count.value, 1)
        }()
        // Nobody closed it: it goes with its last reference, and takes its core along.
        let end = Date(timeIntervalSinceNow: 10)
        while forgotten != nil && Date() < end { await Task.yield() }
        XCTAssertNil(forgotten)
        try await until { count.value == 0 }
    }

    func testReadersThatComeAndGoLeaveNothingBehind() async throws {
        let keys = Keys()
        let enrolment = try await enrolled(keys)
        let rider = try await Rider.open(config(enrolment), keys: keys, tokens: CountedTokens(Count()))
        let screens = Count()
        for round in 1...1_000 {
            let screen = Screen(screens)
            let reader = Task { for try await _ in rider.watch(query: { (screen.number, try $0.day()).1 }) {} }
            if round % 10 == 0 {
                _ = try await rider.record { try $0.addCustomer(fields: [.name: "\(round)"], route: nil) }
            }
            reader.cancel()
            _ = await reader.result
        }
        try await until { screens.value == 0 }
    }

    private final class Screen: Sendable {
        let number = 1
        private let count: Count

        init(_ count: Count) {
            self.count = count
            count.add(1)
        }

        deinit { count.add(-1) }
    }

    private func toggle(_ rider: Rider, _ times: Int) async throws {
        var states = rider.watch(.status) { try $0.status().state }.makeAsyncIterator()
        for _ in 1...times {
            rider.networkChanged(online: true)
            while try await states.next() != .needsSignIn {}
            rider.networkChanged(online: false)
            while try await states.next() != .offline {}
        }
    }

    /// How many calls of token providers the generated code still keeps.
    private var futures: Int { uniffiForeignFutureHandleCountCarboy() }

    /// A number in /proc/self/status.
    private func status(_ name: String) throws -> Int {
        let lines = try String(contentsOfFile: "/proc/self/status", encoding: .utf8).split(separator: "\n")
        let line = try XCTUnwrap(lines.first { $0.hasPrefix("\(name):") })
        return try XCTUnwrap(Int(line.filter(\.isNumber)))
    }
}
