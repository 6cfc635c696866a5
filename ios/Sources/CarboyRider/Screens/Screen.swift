// What all screens have in common: the rider, his language, and what to say of the last thing that was done.

import Carboy
import Observation

/// A screen of a signed-in rider. Everything that it shows is ready to be shown; what it does is on the phone when the
/// call returns.
@MainActor @Observable
public class Screen {
    /// The language of what it shows.
    public let texts: Texts
    /// What went wrong last; nothing once something went well.
    public internal(set) var problem: String?
    /// What was done last, for example with the number of its receipt.
    public internal(set) var notice: String?
    /// Whether something is under way. Another tap meanwhile does nothing: nobody records a delivery twice by tapping
    /// twice.
    public private(set) var isWorking = false

    let rider: Rider

    init(_ rider: Rider, _ texts: Texts) {
        self.rider = rider
        self.texts = texts
    }

    /// Does `work` unless something is under way already; says whether it was done.
    @discardableResult
    func attempt(_ work: @MainActor () async throws -> Void) async -> Bool {
        guard !isWorking else { return false }
        isWorking = true
        (problem, notice) = (nil, nil)
        defer { isWorking = false }
        do {
            try await work()
            return true
        } catch is CancellationError {
            return false
        } catch {
            problem = texts.error(error)
            return false
        }
    }

    /// Shows what `watch` answers, until the rider is closed or the task ends.
    func follow<Answer>(_ watch: Watch<Answer>, _ show: @MainActor (Answer) -> Void) async {
        do {
            for try await answer in watch { show(answer) }
        } catch is CancellationError {
            return
        } catch {
            problem = texts.error(error)
        }
    }
}
