// Waiting for what a screen shows, never for longer than half a minute.

import Foundation
import Observation

/// Returns once `condition` holds. It is looked at again whenever something that it observes changes.
@MainActor
public func until(
    _ what: String, within limit: Duration = .seconds(30), _ condition: @escaping @MainActor () -> Bool
) async throws {
    let deadline = ContinuousClock.now + limit
    while true {
        let (changes, changed) = AsyncStream.makeStream(of: Void.self)
        if withObservationTracking(condition, onChange: { changed.yield() }) { return }
        let timer = Task {
            try await Task.sleep(until: deadline)
            changed.finish()
        }
        defer { timer.cancel() }
        // The change itself comes after the notice of it: it is looked at in the next turn.
        for await _ in changes { break }
        await Task.yield()
        if ContinuousClock.now >= deadline {
            if condition() { return }
            throw TestFailure("in vain: \(what)")
        }
    }
}
