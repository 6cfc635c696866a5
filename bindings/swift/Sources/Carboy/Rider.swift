// One signed-in rider as asynchronous calls and observables, over the generated `Carboy`.

import Dispatch
import Foundation
import Observation

/// One signed-in rider: the core, its observables and its calls. One per account and process.
///
/// Every call fails with `CarboyError` as the core does, and with ``RiderClosedError`` after ``close()``.
public final class Rider: Observable, Sendable {
    private struct State {
        /// Nothing once the rider is closed.
        var core: Carboy?
        var status: Status
        /// While paused, nothing is asked of the store by itself: that would open its file.
        var isPaused = false
        /// What changed since the store was last asked, and whether asking it is under way.
        var missed: Set<Change> = []
        var isAsking = false
        /// The exchanges that have begun and not ended, by number; each tells who waits for it that the rider was closed.
        var exchanges: [Int: @Sendable () -> Void] = [:]
        var numbers = 0
    }

    private let state: Locked<State>
    private let registrar = ObservationRegistrar()
    /// One after another, as the store does them, off the threads that tasks share: these wait for the disk.
    private let reading = DispatchQueue(label: "carboy.reading", qos: .userInitiated)
    private let writing = DispatchQueue(label: "carboy.writing", qos: .userInitiated)
    let changes = Changes()

    private init(_ core: Carboy) throws {
        state = Locked(State(core: core, status: try core.status()))
    }

    deinit { close() }

    /// Opens the account's store off the caller's thread; see `Carboy.open` for what it
    /// fails with. A caller that is cancelled meanwhile leaves nothing open.
    ///
    /// ```swift
    /// let rider = try await Rider.open(config, keys: keys, tokens: tokens)
    /// print(rider.status.pending, "records wait to be sent")
    /// ```
    public static func open(_ config: Config, keys: any KeyStore, tokens: any TokenProvider) async throws -> Rider {
        let rider = try await run(on: .global(qos: .userInitiated)) {
            let notices = Notices()
            let rider = try Rider(Carboy.open(config: config, keys: keys, tokens: tokens, observer: notices))
            notices.tell(rider)
            // What came between the first status and this.
            rider.changed(Change.allCases)
            return rider
        }
        try Task.checkCancellation()
        return rider
    }

    /// What is waiting to be sent, and why; always the newest, and observable. `oldestAge` is as of then: a screen that
    /// shows it for longer counts on from `oldestPending`.
    public var status: Status {
        registrar.access(self, keyPath: \.status)
        return state.withLock { $0.status }
    }

    /// What `query` answers: at once, and again after each change of the kinds `on` (of any kind if none is named) that
    /// makes it another answer. The query runs off the caller's thread, for each reader by itself.
    ///
    /// ```swift
    /// for try await day in rider.watch(.day, query: { try $0.day() }) {
    ///     print(day.deliveries, "deliveries,", day.cashInHand.formatted(), "in hand")
    /// }
    /// ```
    public func watch<Answer: Equatable & Sendable>(
        _ on: Change..., query: @escaping @Sendable (Carboy) throws -> Answer
    ) -> Watch<Answer> {
        Watch(rider: self, kinds: Set(on.isEmpty ? Change.allCases : on), query: query)
    }

    /// One query or more, off the caller's thread.
    ///
    /// ```swift
    /// let found = try await rider.ask { try $0.customers(search: "otieno", after: nil, limit: 20) }
    /// print(found.map(\.name))
    /// ```
    public func ask<Answer: Sendable>(_ query: @escaping @Sendable (Carboy) throws -> Answer) async throws -> Answer {
        try await call(on: reading, query)
    }

    /// One action, off the caller's thread: it is on the phone when this returns. Cancelled before it begins, it is not
    /// done; cancelled later, it is done all the same.
    ///
    /// ```swift
    /// let line = DeliveredLine(product: ProductCode("20L"), delivered: 3, empties: 2)
    /// let receipt = try await rider.record { try $0.confirmDelivery(customer: customer, lines: [line]) }
    /// print("\(receipt.code): \(receipt.customer.name) owes \(receipt.customer.balance.formatted())")
    /// ```
    public func record<Receipt: Sendable>(
        _ action: @escaping @Sendable (Carboy) throws -> Receipt
    ) async throws -> Receipt {
        try await call(on: writing, action)
    }

    /// Exchanges everything with the server now, and returns when nothing is left to do at once. Cancelling stops the
    /// waiting, not the exchange.
    ///
    /// ```swift
    /// let report = try await rider.syncNow()
    /// print(report.settled, "sent,", report.rejected, "need attention")
    /// ```
    @discardableResult
    public func syncNow() async throws -> SyncReport {
        try await exchange { try await $0.syncNow() }
    }

    /// Exchanges as much as possible within `window`, for work in the background; see `Carboy.drainFor`.
    /// Cancelling stops the waiting, not the exchange.
    ///
    /// ```swift
    /// let report = try await rider.drainFor(.seconds(25))
    /// print(report.status.pending == 0 ? "all is sent" : "the rest goes with the next window")
    /// ```
    @discardableResult
    public func drainFor(
        _ window: Duration, isolation: isolated (any Actor)? = #isolation
    ) async throws -> SyncReport {
        let report = try await exchange { try await $0.drainFor(window: window.interval) }
        become(report.status, ifPaused: true)
        return report
    }

    /// Signs the account out and closes this rider; forget the token then. Cancelling stops the waiting, not the signing
    /// out.
    ///
    /// Fails with `CarboyError.PendingWork` if `choice` wants everything sent and it is not; nothing has changed then.
    ///
    /// ```swift
    /// do {
    ///     _ = try await rider.signOut(.sendFirst(window: 30))
    /// } catch CarboyError.PendingWork(let mutations, _, _, _) {
    ///     print("\(mutations) records could not be sent: keep them on this phone?")
    ///     _ = try await rider.signOut(.keepSealed)
    /// }
    /// ```
    public func signOut(_ choice: SignOut) async throws -> SignedOut {
        try await exchange(closes: true) { try await $0.signOut(choice: choice) }
    }

    /// The shell says whether there is a network. While there is none, nothing is tried.
    public func networkChanged(online: Bool) { core?.networkChanged(online: online) }

    /// The app came to the front.
    public func foregrounded() { core?.foregrounded() }

    /// Somebody signed in: the token provider is asked again.
    public func signedIn() { core?.signedIn() }

    /// The app is about to be suspended. When this returns, the process holds no lock on the store; see `Carboy.pause`.
    /// Sequences rest until ``resume()``, because a query would open the store again; the status follows what
    /// ``drainFor(_:)`` reports. Waits for the disk and for the calls that were begun before, so it must not be called
    /// from within one.
    public func pause() {
        let begun = state.withLock { state in
            state.isPaused = true
            return state.numbers
        }
        reading.sync {}
        writing.sync {}
        // A pause ends the exchanges that the core has heard of. One that was begun and is still on its way there would
        // open the store afterwards.
        repeat { core?.pause() } while state.withLock { $0.exchanges.keys.contains { $0 <= begun } }
    }

    /// The app runs again after ``pause()``.
    public func resume() {
        guard let core else { return }
        core.resume()
        state.withLock { $0.isPaused = false }
        changed([])
    }

    /// Lets go of the core: its file and threads go with the last call under way. Sequences end, and who waits for an
    /// exchange gets ``RiderClosedError``. What was recorded stays. A second time does nothing.
    public func close() { close(sparing: nil) }

    /// Closes the rider for everybody but the exchange of this number, which goes on to tell what it came to.
    private func close(sparing number: Int?) {
        let (core, exchanges) = state.withLock { state in
            if let number { state.exchanges[number] = nil }
            defer { (state.core, state.exchanges) = (nil, [:]) }
            return (state.core, state.exchanges.values)
        }
        changes.end()
        for end in exchanges { end() }
        core?.stop()
    }

    private var core: Carboy? { state.withLock { $0.core } }

    private func opened() throws -> Carboy {
        guard let core else { throw RiderClosedError() }
        return core
    }

    /// Notes what changed, and asks the store what that came to; a paused rider's later. Whoever calls this waits for
    /// nothing: a core that goes waits for its observer.
    fileprivate func changed(_ kinds: [Change]) {
        let asks = state.withLock { state in
            state.missed.formUnion(kinds)
            guard !state.isPaused, !state.isAsking, !state.missed.isEmpty else { return false }
            state.isAsking = true
            return true
        }
        if asks { reading.async { [weak self] in self?.refresh() } }
    }

    private func refresh() {
        let missed = state.withLock { state -> Set<Change> in
            state.isAsking = false
            if state.isPaused { return [] }
            defer { state.missed = [] }
            return state.missed
        }
        guard !missed.isEmpty, let core else { return }
        // A store that cannot be read tells so to whoever watches.
        if let status = try? core.status() { become(status) }
        changes.note(missed)
    }

    private func become(_ status: Status, ifPaused: Bool = false) {
        let isNew = state.withLock { state in
            if ifPaused && !state.isPaused { return false }
            defer { state.status = status }
            return state.status != status
        }
        // Whoever is told reads at once, perhaps on another thread: the new status is there by then.
        if isNew { registrar.withMutation(of: self, keyPath: \.status) {} }
    }

    private func call<Answer: Sendable>(
        on queue: DispatchQueue, _ work: @escaping @Sendable (Carboy) throws -> Answer
    ) async throws -> Answer {
        try Task.checkCancellation()
        return try await Self.run(on: queue) { try work(self.opened()) }
    }

    private static func run<Answer: Sendable>(
        on queue: DispatchQueue, _ work: @escaping @Sendable () throws -> Answer
    ) async throws -> Answer {
        try await withCheckedThrowingContinuation { continuation in
            queue.async { continuation.resume(with: Result { try work() }) }
        }
    }

    /// Does `work` in a task of its own, because the generated calls do not hear that their task was cancelled, and waits
    /// for it. It `closes` the rider once it is done, even if nobody waits any more.
    ///
    /// It has begun before its caller's actor does anything else, so that a pause which that actor asks for ends it.
    private func exchange<Outcome: Sendable>(
        closes: Bool = false, isolation: isolated (any Actor)? = #isolation,
        _ work: @escaping @Sendable (Carboy) async throws -> Outcome
    ) async throws -> Outcome {
        try Task.checkCancellation()
        let promise = Promise<Outcome>()
        let (core, number) = try state.withLock { state in
            guard let core = state.core else { throw RiderClosedError() }
            state.numbers += 1
            state.exchanges[state.numbers] = { promise.settle(.failure(RiderClosedError())) }
            return (core, state.numbers)
        }
        Task.detached { [weak self] in
            let outcome: Result<Outcome, any Error>
            do {
                outcome = .success(try await work(core))
                if closes { self?.close(sparing: number) }
            } catch {
                outcome = .failure(error)
            }
            self?.state.withLock { $0.exchanges[number] = nil }
            promise.settle(outcome)
        }
        return try await promise.value()
    }
}

/// What the core tells, on a thread of the core's. It holds the rider weakly: the core holds it, and a rider that the
/// app forgot to close would never go.
private final class Notices: Observer {
    private struct Reader { weak var rider: Rider? }

    private let reader = Locked(Reader())

    func tell(_ rider: Rider) { reader.withLock { $0.rider = rider } }

    func changed(changes: [Change]) throws { reader.withLock { $0.rider }?.changed(changes) }
}

extension Duration {
    /// In seconds; nothing is less than no time.
    fileprivate var interval: TimeInterval {
        let (seconds, attoseconds) = components
        return max(0, TimeInterval(seconds) + TimeInterval(attoseconds) / 1e18)
    }
}
