// What changed in a rider's store, and who waits for that.

/// How often each kind of change came, until there will be no more.
final class Changes: Sendable {
    private struct Waiting {
        let kinds: Set<Change>
        let seen: Int
        let continuation: CheckedContinuation<Int?, Never>
    }

    private struct State {
        var counts: [Change: Int] = [:]
        var isOver = false
        var waiting: [Int: Waiting] = [:]
        var tickets = 0

        func count(_ kinds: Set<Change>) -> Int { kinds.reduce(0) { $0 + counts[$1, default: 0] } }
    }

    private let state = Locked(State())

    func note(_ kinds: Set<Change>) {
        let woken = state.withLock { state -> [(Waiting, Int)] in
            for kind in kinds { state.counts[kind, default: 0] += 1 }
            let woken = state.waiting.filter { state.count($0.value.kinds) != $0.value.seen }
            for ticket in woken.keys { state.waiting[ticket] = nil }
            return woken.values.map { ($0, state.count($0.kinds)) }
        }
        for (waiting, count) in woken { waiting.continuation.resume(returning: count) }
    }

    /// There will be no more.
    func end() {
        let waiting = state.withLock { state in
            state.isOver = true
            defer { state.waiting = [:] }
            return state.waiting
        }
        for waiting in waiting.values { waiting.continuation.resume(returning: nil) }
    }

    /// How often one of `kinds` came, once that is another number than `seen`; nothing once there will be no more, or
    /// the task is cancelled.
    func next(_ kinds: Set<Change>, after seen: Int?) async -> Int? {
        let ticket = state.withLock { state in
            state.tickets += 1
            return state.tickets
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                wait(ticket, kinds, seen, continuation)
            }
        } onCancel: {
            state.withLock { $0.waiting.removeValue(forKey: ticket) }?.continuation.resume(returning: nil)
        }
    }

    private func wait(
        _ ticket: Int, _ kinds: Set<Change>, _ seen: Int?, _ continuation: CheckedContinuation<Int?, Never>
    ) {
        let answer = state.withLock { state -> Int?? in
            if state.isOver || Task.isCancelled { return .some(nil) }
            let count = state.count(kinds)
            guard let seen, seen == count else { return .some(count) }
            state.waiting[ticket] = Waiting(kinds: kinds, seen: seen, continuation: continuation)
            return nil
        }
        if let answer { continuation.resume(returning: answer) }
    }
}
