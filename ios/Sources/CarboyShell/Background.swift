// What becomes of the outbox while the app is not in front. A suspended app must hold no lock on a file, or the system
// kills it: so the rider is paused whenever the app is in the back, and the windows that the system grants are drained
// on top of that.

import Carboy
import Foundation

/// The shell's work in the background.
@MainActor
final class Background {
    /// Somewhat less than the half minute that the system grants a refresh, or an app that went to the back.
    static let shortWindow = Duration.seconds(25)
    /// More than the system ever grants: it says when the time of a longer run is up.
    static let longWindow = Duration.seconds(600)
    /// Not before so many seconds: a phone in a pocket asks some times in an hour at most.
    static let delay: TimeInterval = 15 * 60

    /// Answers once it is known.
    var whoIsSignedIn: () async -> Rider? = { nil }

    private let scheduler: any BackgroundScheduler
    private let time: any BackgroundTime
    private let log: any LogWriter
    private var isShown = false
    /// The system's grant to go on in the back, until it is given back.
    private var grant: Int?

    init(_ scheduler: any BackgroundScheduler, _ time: any BackgroundTime, _ log: any LogWriter) {
        (self.scheduler, self.time, self.log) = (scheduler, time, log)
        for job in BackgroundJob.allCases {
            scheduler.register(job) { [weak self] run in self?.start(job, run) }
        }
    }

    /// The rider's store was opened, perhaps by a process that the system has started in the back.
    func opened(_ rider: Rider) {
        if isShown { rider.foregrounded() } else { rider.pause() }
    }

    func shown(_ rider: Rider?) {
        isShown = true
        giveBack()
        rider?.resume()
        rider?.foregrounded()
    }

    func hidden(_ rider: Rider?) {
        isShown = false
        guard let rider else { return }
        request()
        giveBack()
        grant = time.begin("carboy.drain") { [weak self] in
            // The last moment: what is under way is given up, and comes again.
            if self?.isShown == false { rider.pause() }
            self?.giveBack()
        }
        guard let granted = grant else { return rider.pause() }
        Task {
            await drain(rider, for: Self.shortWindow)
            // Meanwhile the app may have come to the front, and gone again with another grant.
            if granted == grant { giveBack() }
        }
    }

    /// Nobody is signed in: there is nothing to send.
    func cancel() {
        for job in BackgroundJob.allCases { scheduler.cancel(job) }
    }

    private func start(_ job: BackgroundJob, _ run: any BackgroundRun) {
        let end = End(run)
        run.whenExpired { end.tell(success: false) }
        Task {
            guard let rider = await whoIsSignedIn() else { return end.tell(success: true) }
            run.whenExpired {
                // On a thread of the system's, which suspends the app when this returns.
                rider.pause()
                end.tell(success: false)
            }
            request()
            let report = await drain(rider, for: job == .refresh ? Self.shortWindow : Self.longWindow)
            end.tell(success: report?.status.pending == 0)
        }
    }

    /// Sends what there is. Afterwards a rider whose app is in the back is paused.
    @discardableResult
    private func drain(_ rider: Rider, for window: Duration) async -> SyncReport? {
        // The core itself pauses a rider again who was paused when the drain began.
        if !isShown { rider.pause() }
        do {
            let report = try await rider.drainFor(window)
            if report.status.pending == 0 && report.status.photos == 0 { scheduler.cancel(.drain) }
            return report
        } catch {
            log.write("the outbox could not be sent in the background: \(error)", .error, category: "shell")
            return nil
        }
    }

    /// Asks for the next runs: a refresh, in which the phone also learns what the manager changed, and a long one, which
    /// is taken back if nothing is left for it. The store cannot be asked first: the app may be suspended by then.
    private func request() {
        submit(.refresh, after: Self.delay)
        submit(.drain, after: 0)
    }

    private func submit(_ job: BackgroundJob, after delay: TimeInterval) {
        do {
            try scheduler.submit(job, after: delay)
        } catch {
            // The rider may have switched it off for this app: what waits is sent when the app is opened.
            log.write("the system takes no \(job.rawValue): \(error)", .default, category: "shell")
        }
    }

    private func giveBack() {
        if let grant { time.end(grant) }
        grant = nil
    }
}

/// Tells the system once that a run has ended, whoever is first.
private final class End: @unchecked Sendable {
    private let lock = NSLock()
    private var run: (any BackgroundRun)?

    init(_ run: any BackgroundRun) { self.run = run }

    func tell(success: Bool) {
        lock.lock()
        defer { lock.unlock() }
        run?.setTaskCompleted(success: success)
        run = nil
    }
}
