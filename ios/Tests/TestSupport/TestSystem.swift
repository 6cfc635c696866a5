// A phone's system: what it would keep stands in a folder, and what it would decide a test decides.

import Carboy
import CarboyShell
import Foundation
import Observation

/// The network as the phone sees it.
public final class TestNetwork: NetworkMonitor, @unchecked Sendable {
    private struct Path: NetworkPath {
        let isSatisfied: Bool
        let isExpensive = true
        let isConstrained = false
    }

    private let lock = NSLock()
    private var tell: (@Sendable (any NetworkPath) -> Void)?

    public func start(_ tell: @escaping @Sendable (any NetworkPath) -> Void) {
        lock.withLock { self.tell = tell }
        set(online: true)
    }

    public func cancel() { lock.withLock { tell = nil } }

    public func set(online: Bool) { lock.withLock { tell }?(Path(isSatisfied: online)) }
}

/// Grants a run in the background when a test says so.
@MainActor @Observable
public final class TestScheduler: BackgroundScheduler {
    public private(set) var submitted: Set<BackgroundJob> = []
    private var works: [BackgroundJob: @MainActor @Sendable (any BackgroundRun) -> Void] = [:]

    public func register(_ job: BackgroundJob, _ work: @escaping @MainActor @Sendable (any BackgroundRun) -> Void) {
        works[job] = work
    }

    public func submit(_ job: BackgroundJob, after delay: TimeInterval) throws { submitted.insert(job) }

    public func cancel(_ job: BackgroundJob) { submitted.remove(job) }

    /// Grants one run that was asked for; says whether the shell called it a success.
    public func grant(_ job: BackgroundJob) async throws -> Bool {
        guard submitted.remove(job) != nil, let work = works[job] else {
            throw TestFailure("nobody asked for \(job.rawValue)")
        }
        let (ends, end) = AsyncStream.makeStream(of: Bool.self)
        work(Run(end))
        for await success in ends { return success }
        throw TestFailure("\(job.rawValue) has no end")
    }

    private final class Run: BackgroundRun, @unchecked Sendable {
        private let end: AsyncStream<Bool>.Continuation

        init(_ end: AsyncStream<Bool>.Continuation) { self.end = end }

        func whenExpired(_ work: @escaping @Sendable () -> Void) {}

        func setTaskCompleted(success: Bool) { end.yield(success) }
    }
}

/// Grants as much time as the shell needs.
@MainActor @Observable
public final class TestTime: BackgroundTime {
    public private(set) var open: Set<Int> = []
    private var count = 0

    public func begin(_ name: String, expired: @escaping @MainActor @Sendable () -> Void) -> Int? {
        count += 1
        open.insert(count)
        return count
    }

    public func end(_ grant: Int) { open.remove(grant) }
}

/// A Keychain in a folder, which outlives the process.
struct TestKeychain: Keychain {
    let folder: URL

    func copy(_ name: String) -> (status: Int32, secret: Data?) {
        let secret = FileManager.default.contents(atPath: path(name))
        return (secret == nil ? -25_300 : 0, secret)
    }

    func add(_ name: String, _ secret: Data) -> Int32 { write(name, secret) }

    func update(_ name: String, _ secret: Data) -> Int32 { copy(name).secret == nil ? -25_300 : write(name, secret) }

    func delete(_ name: String) -> Int32 {
        guard copy(name).secret != nil else { return -25_300 }
        return (try? FileManager.default.removeItem(atPath: path(name))) == nil ? -50 : 0
    }

    private func write(_ name: String, _ secret: Data) -> Int32 {
        (try? secret.write(to: URL(fileURLWithPath: path(name)), options: .atomic)) == nil ? -50 : 0
    }

    private func path(_ name: String) -> String {
        folder.appendingPathComponent(Data(name.utf8).map { String(format: "%02x", $0) }.joined()).path
    }
}

/// Only what is wrong is of interest beside the tests' lines.
struct TestLog: LogWriter {
    func write(_ line: String, _ kind: LogKind, category: String) {
        if kind == .error { FileHandle.standardError.write(Data("\(category): \(line)\n".utf8)) }
    }
}
