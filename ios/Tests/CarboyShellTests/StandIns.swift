import CarboyShell
import Foundation
import XCTest

/// A phone's system on a machine without it: what the system would say is said by the test.
final class StandInNetwork: NetworkMonitor, @unchecked Sendable {
    struct Path: NetworkPath {
        var isSatisfied = true
        var isExpensive = false
        var isConstrained = false
    }

    private var tell: (@Sendable (any NetworkPath) -> Void)?

    func start(_ tell: @escaping @Sendable (any NetworkPath) -> Void) {
        self.tell = tell
        tell(Path())
    }

    func become(_ path: Path) { tell?(path) }

    func cancel() { tell = nil }
}

@MainActor
final class StandInScheduler: BackgroundScheduler {
    struct NotPermitted: Error {}

    private(set) var submitted: [BackgroundJob: TimeInterval] = [:]
    var isPermitted = true
    private var works: [BackgroundJob: @MainActor @Sendable (any BackgroundRun) -> Void] = [:]

    func register(_ job: BackgroundJob, _ work: @escaping @MainActor @Sendable (any BackgroundRun) -> Void) {
        works[job] = work
    }

    func submit(_ job: BackgroundJob, after delay: TimeInterval) throws {
        guard isPermitted else { throw NotPermitted() }
        submitted[job] = delay
    }

    func cancel(_ job: BackgroundJob) { submitted[job] = nil }

    /// The system begins a run that was asked for.
    func begin(_ job: BackgroundJob) -> StandInRun {
        submitted[job] = nil
        let run = StandInRun()
        works[job]?(run)
        return run
    }
}

final class StandInRun: BackgroundRun, @unchecked Sendable {
    private let lock = NSLock()
    private var work: (@Sendable () -> Void)?
    private let ends = AsyncStream<Bool>.makeStream()

    func whenExpired(_ work: @escaping @Sendable () -> Void) { lock.withLock { self.work = work } }

    func setTaskCompleted(success: Bool) { ends.continuation.yield(success) }

    /// The time is up.
    func expire() { lock.withLock { work }?() }

    /// How it ended.
    func end() async -> Bool? {
        for await success in ends.stream { return success }
        return nil
    }
}

@MainActor
final class StandInTime: BackgroundTime {
    var isGranting = true
    private(set) var granted = 0
    private(set) var held: Set<Int> = []
    private var expired: (@MainActor @Sendable () -> Void)?
    private let givenBack = AsyncStream<Int>.makeStream()

    func begin(_ name: String, expired: @escaping @MainActor @Sendable () -> Void) -> Int? {
        guard isGranting else { return nil }
        granted += 1
        held.insert(granted)
        self.expired = expired
        return granted
    }

    func end(_ grant: Int) {
        XCTAssertNotNil(held.remove(grant), "a grant that was given back already")
        givenBack.continuation.yield(grant)
    }

    func expire() { expired?() }

    /// Waits until the app gives its time back.
    func untilGivenBack() async { for await _ in givenBack.stream { return } }
}

final class StandInKeychain: Keychain, @unchecked Sendable {
    private let lock = NSLock()
    private var secrets: [String: Data] = [:]
    private var failure: Int32?

    var names: [String] { lock.withLock { secrets.keys.sorted() } }

    /// From now on every call answers with this status.
    func fail(_ status: Int32?) { lock.withLock { failure = status } }

    func copy(_ name: String) -> (status: Int32, secret: Data?) {
        lock.withLock { (failure ?? (secrets[name] == nil ? -25_300 : 0), failure == nil ? secrets[name] : nil) }
    }

    func add(_ name: String, _ secret: Data) -> Int32 {
        write { secrets in
            if secrets[name] != nil { return -25_299 }
            secrets[name] = secret
            return 0
        }
    }

    func update(_ name: String, _ secret: Data) -> Int32 {
        write { secrets in
            if secrets[name] == nil { return -25_300 }
            secrets[name] = secret
            return 0
        }
    }

    func delete(_ name: String) -> Int32 { write { $0.removeValue(forKey: name) == nil ? -25_300 : 0 } }

    private func write(_ work: (inout [String: Data]) -> Int32) -> Int32 {
        lock.withLock { failure ?? work(&secrets) }
    }
}

final class StandInLog: LogWriter, @unchecked Sendable {
    private let lock = NSLock()
    private var written: [(String, LogKind)] = []

    var lines: [(line: String, kind: LogKind)] { lock.withLock { written } }

    func write(_ line: String, _ kind: LogKind, category: String) { lock.withLock { written.append((line, kind)) } }
}
