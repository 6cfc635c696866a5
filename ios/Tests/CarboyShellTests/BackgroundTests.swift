import Carboy
import CarboyShell
import Foundation
import XCTest

/// What becomes of the outbox while the app is not in front. Whenever the system may suspend the process, it holds no
/// lock on a file.
final class BackgroundTests: ShellTests {
    #if os(Linux)
    func testAnAppThatGoesToTheBackSendsWhatWaitsLetsGoOfItsFilesAndGivesItsTimeBack() async throws {
        let (shell, rider) = try await signedIn()
        XCTAssertFalse(try files.locks().isEmpty, "this check sees no locks at all")
        try await collect(rider)
        shell.hidden()
        XCTAssertEqual(time.held.count, 1)
        await time.untilGivenBack()
        XCTAssertEqual(try files.locks(), [])
        XCTAssertEqual(try files.opened(), [])
        XCTAssertEqual(rider.status.pending, 0)
        // Nothing is left for a long run.
        XCTAssertEqual(scheduler.submitted, [.refresh: 900])

        shell.shown()
        try await collect(rider)
        let report = try await rider.syncNow()
        XCTAssertEqual(report.status.pending, 0)
    }

    func testTimeThatEndsInTheMiddleOfADrainLeavesNoLockAndLosesNothing() async throws {
        let (shell, rider) = try await signedIn()
        server.freeze()
        try await collect(rider)
        try await untilSending(rider)
        shell.hidden()
        try await untilSending(rider)
        time.expire()
        XCTAssertEqual(try files.locks(), [])
        XCTAssertEqual(time.held, [])
        XCTAssertEqual(scheduler.submitted[.drain], 0)
        server.thaw()
        shell.shown()
        let report = try await rider.syncNow()
        XCTAssertEqual(report.status.pending, 0)
    }

    func testAnAppThatGetsNoTimeInTheBackLetsGoOfItsFilesAtOnce() async throws {
        let (shell, _) = try await signedIn()
        time.isGranting = false
        shell.hidden()
        XCTAssertEqual(try files.locks(), [])
        XCTAssertEqual(try files.opened(), [])
    }

    func testARunInTheBackgroundSendsWhatWaitsAndAsksForTheNextOne() async throws {
        let (shell, rider) = try await signedIn()
        network.become(.init(isSatisfied: false))
        try await until(rider) { $0.state == .offline }
        try await collect(rider)
        shell.hidden()
        await time.untilGivenBack()
        XCTAssertEqual(rider.status.pending, 1)
        network.become(.init())
        for job in [BackgroundJob.drain, .refresh] {
            let success = await scheduler.begin(job).end()
            XCTAssertEqual(success, true)
            XCTAssertEqual(rider.status.pending, 0)
            XCTAssertEqual(try files.locks(), [])
            XCTAssertEqual(scheduler.submitted[.refresh], 900)
        }
    }

    func testARunWhoseTimeIsUpLeavesNoLockAndTellsThatItIsNotDone() async throws {
        let (shell, rider) = try await signedIn()
        shell.hidden()
        await time.untilGivenBack()
        server.freeze()
        try await collect(rider)
        let run = scheduler.begin(.drain)
        try await untilSending(rider)
        run.expire()
        XCTAssertEqual(try files.locks(), [])
        let success = await run.end()
        XCTAssertEqual(success, false)
        server.thaw()
        let again = await scheduler.begin(.drain).end()
        XCTAssertEqual(again, true)
        XCTAssertEqual(rider.status.pending, 0)
    }

    func testAProcessThatTheSystemStartsInTheBackSendsWhatTheLastOneLeftAndHoldsNoLock() async throws {
        let (shell, rider) = try await signedIn()
        network.become(.init(isSatisfied: false))
        try await until(rider) { $0.state == .offline }
        try await collect(rider)
        end(shell)
        let started = launch()
        let success = await scheduler.begin(.refresh).end()
        XCTAssertEqual(success, true)
        XCTAssertEqual(started.rider?.status.pending, 0)
        XCTAssertEqual(try files.locks(), [])
    }

    func testARunOfAPhoneThatNobodyIsSignedInOnHasNothingToDo() async throws {
        _ = launch()
        let success = await scheduler.begin(.refresh).end()
        XCTAssertEqual(success, true)
    }

    func testASystemThatPermitsNoRunsIsNotedAndHarmsNothing() async throws {
        let (shell, rider) = try await signedIn()
        scheduler.isPermitted = false
        shell.hidden()
        await time.untilGivenBack()
        XCTAssertTrue(log.lines.contains { $0.line.contains("takes no app.carboy.rider.refresh") })
        shell.shown()
        try await collect(rider)
    }

    func testAnAppThatComesBackToTheFrontInTheMiddleOfADrainGoesOnAsIfItHadNotLeft() async throws {
        let (shell, rider) = try await signedIn()
        server.freeze()
        try await collect(rider)
        shell.hidden()
        try await untilSending(rider)
        shell.shown()
        XCTAssertEqual(time.held, [])
        server.thaw()
        let report = try await rider.syncNow()
        XCTAssertEqual(report.status.state, .idle)
        XCTAssertFalse(try files.locks().isEmpty, "it was left paused")
    }
    #endif

    func testTheCoreAndTheScreensAreToldOfTheNetwork() async throws {
        let (shell, rider) = try await signedIn()
        network.become(.init(isSatisfied: false))
        try await until(rider) { $0.state == .offline }
        XCTAssertFalse(shell.connection.online)
        network.become(.init(isSatisfied: true, isExpensive: true, isConstrained: true))
        try await until(rider) { $0.state == .idle }
        XCTAssertEqual(shell.connection, Connection(online: true, expensive: true, constrained: true))
    }
}
