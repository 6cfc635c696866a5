// A query's answers as an asynchronous sequence.

/// What a query answers: at once, and again after each change that makes it another answer. Made by
/// ``Rider/watch(_:query:)``.
///
/// A slow reader gets the newest and misses those between. The sequence ends when the rider is closed or signed out, or
/// the reading task is cancelled, and fails as the query does.
public struct Watch<Answer: Equatable & Sendable>: AsyncSequence, Sendable {
    public typealias Element = Answer

    let rider: Rider
    let kinds: Set<Change>
    let query: @Sendable (Carboy) throws -> Answer

    /// Reads a ``Watch`` from its beginning.
    public struct Iterator: AsyncIteratorProtocol, Sendable {
        let watch: Watch
        var seen: Int?
        var last: Answer?

        public mutating func next() async throws -> Answer? {
            while let count = await watch.rider.changes.next(watch.kinds, after: seen) {
                seen = count
                guard let answer = try await watch.answer() else { return nil }
                if answer != last {
                    last = answer
                    return answer
                }
            }
            return nil
        }
    }

    public func makeAsyncIterator() -> Iterator { Iterator(watch: self) }

    /// The answer; nothing once there will be no more.
    private func answer() async throws -> Answer? {
        do {
            return try await rider.ask(query)
        } catch is RiderClosedError {
            return nil
        } catch is CancellationError {
            return nil
        } catch CarboyError.SignedOut {
            return nil
        }
    }
}
