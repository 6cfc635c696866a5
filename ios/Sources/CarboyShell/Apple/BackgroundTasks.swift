// The system's runs and time in the background.

#if canImport(BackgroundTasks) && canImport(UIKit)
import BackgroundTasks
import UIKit

extension BGTask: BackgroundRun {
    public func whenExpired(_ work: @escaping @Sendable () -> Void) { expirationHandler = work }
}

extension BGTaskScheduler: BackgroundScheduler {
    public func register(_ job: BackgroundJob, _ work: @escaping @MainActor @Sendable (any BackgroundRun) -> Void) {
        // On the main queue, so on the main actor.
        let isKnown = register(forTaskWithIdentifier: job.rawValue, using: .main) { run in
            nonisolated(unsafe) let run = run
            MainActor.assumeIsolated { work(run) }
        }
        assert(isKnown, "\(job.rawValue) is missing from BGTaskSchedulerPermittedIdentifiers")
    }

    public func submit(_ job: BackgroundJob, after delay: TimeInterval) throws {
        let request = job.request
        request.earliestBeginDate = Date(timeIntervalSinceNow: delay)
        try submit(request)
    }

    public func cancel(_ job: BackgroundJob) { cancel(taskRequestWithIdentifier: job.rawValue) }
}

extension BackgroundJob {
    fileprivate var request: BGTaskRequest {
        switch self {
        case .refresh: return BGAppRefreshTaskRequest(identifier: rawValue)
        case .drain:
            let request = BGProcessingTaskRequest(identifier: rawValue)
            request.requiresNetworkConnectivity = true
            return request
        }
    }
}

extension UIApplication: BackgroundTime {
    public func begin(_ name: String, expired: @escaping @MainActor @Sendable () -> Void) -> Int? {
        let grant = beginBackgroundTask(withName: name) { MainActor.assumeIsolated { expired() } }
        return grant == .invalid ? nil : grant.rawValue
    }

    public func end(_ grant: Int) { endBackgroundTask(UIBackgroundTaskIdentifier(rawValue: grant)) }
}
#endif
