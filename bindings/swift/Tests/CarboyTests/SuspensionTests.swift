import Carboy
import Foundation
import XCTest

/// Suspended in the middle of a drain: iOS kills an app that is suspended while it holds a lock on a file.
final class SuspensionTests: ServerTests {
    #if os(Linux)
    private var files: StoreFiles { StoreFiles(folder: folder) }

    func testSuspensionInTheMiddleOfADrainHoldsNoLockAndLosesNothing() async throws {
        let rider = try await rider()
        let customer = try await rider.anyCustomer()
        for _ in 1...20 { try await rider.collect(100, from: customer) }
        server.freeze()
        rider.networkChanged(online: true)
        let drain = Task { try await rider.drainFor(.seconds(60)) }
        try await rider.until { $0.state == .sending }
        XCTAssertFalse(try files.locks().isEmpty, "this check sees no locks at all")

        rider.pause()
        XCTAssertEqual(try files.locks(), [])
        XCTAssertEqual(try files.opened(), [])
        let report = try await drain.value
        XCTAssertEqual(report.status.pending, 20)
        // What comes while the app is being suspended lets go of the file too.
        try await rider.collect(100, from: customer)
        XCTAssertEqual(try files.locks(), [])

        server.thaw()
        rider.resume()
        let sent = try await rider.syncNow()
        XCTAssertEqual(sent.status.pending, 0)
        let held = try await onTheServer(customer)
        XCTAssertEqual(held.amounts.filter { $0 == -100 }.count, 21)
    }

    func testAPauseEndsADrainThatTheCoreHasNotHeardOfYet() async throws {
        let rider = try await rider()
        let customer = try await rider.anyCustomer()
        try await rider.collect(100, from: customer)
        server.freeze()
        rider.networkChanged(online: true)
        for _ in 1...50 { try await Self.pauseAsADrainBegins(rider, files) }
        server.thaw()
        let sent = try await rider.syncNow()
        XCTAssertEqual(sent.status.pending, 0)
    }

    /// On one actor: the drain has begun before the pause is asked for, however busy the machine is.
    @MainActor
    private static func pauseAsADrainBegins(_ rider: Rider, _ files: StoreFiles) async throws {
        let drain = Task { try await rider.drainFor(.seconds(60)) }
        await Task.yield()
        rider.pause()
        XCTAssertEqual(try files.locks(), [])
        drain.cancel()
        _ = await drain.result
        rider.pause()
        XCTAssertEqual(try files.locks(), [])
        rider.resume()
    }

    func testSequencesAndStatusOfAPausedRiderRestSoThatNothingOpensTheStore() async throws {
        let rider = try await rider()
        let customer = try await rider.anyCustomer()
        var pending = rider.watch(.outbox) { try $0.status().pending }.makeAsyncIterator()
        _ = try await pending.next()
        for _ in 1...50 {
            rider.pause()
            // The change of state alone tells every observer.
            XCTAssertEqual(try files.opened(), [])
            XCTAssertEqual(try files.locks(), [])
            try await rider.collect(100, from: customer)
            XCTAssertEqual(try files.opened(), [])
            rider.resume()
        }
        try await rider.until { $0.pending == 50 }
        let next = try await pending.next()
        XCTAssertEqual(next, 50)
    }

    func testABackgroundWindowOnAPausedPhoneEndsWithoutALockWhetherItSendsOrNot() async throws {
        let rider = try await rider()
        let customer = try await rider.anyCustomer()
        rider.networkChanged(online: true)
        rider.pause()
        try await rider.collect(100, from: customer)
        server.freeze()
        let inVain = try await rider.drainFor(.milliseconds(300))
        XCTAssertEqual(inVain.status.pending, 1)
        XCTAssertEqual(try files.locks(), [])
        server.thaw()
        let sent = try await rider.drainFor(.seconds(30))
        XCTAssertEqual(sent.status.pending, 0)
        XCTAssertEqual(try files.locks(), [])
    }
    #endif
}
