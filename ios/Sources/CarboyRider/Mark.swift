// One look says what became of something: a tick for saved, two for sent, another sign for attention.

import Carboy

/// What became of something that was recorded. Told by a sign and in words, never by a colour alone.
public enum Mark: Sendable, Equatable {
    /// It is safe on this phone and waits to be sent.
    case saved
    /// The server has it.
    case settled
    /// It needs the rider.
    case attention

    /// The system's sign for it, which stands there ``count`` times.
    public var symbol: String {
        switch self {
        case .saved, .settled: "checkmark"
        case .attention: "exclamationmark.triangle.fill"
        }
    }

    /// How often the sign stands there.
    public var count: Int { self == .settled ? 2 : 1 }

    /// The same in words.
    public func label(_ texts: Texts) -> String {
        switch self {
        case .saved: texts(.markSaved)
        case .settled: texts(.markSettled)
        case .attention: texts(.markAttention)
        }
    }

    init(_ settlement: Settlement) {
        self =
            switch settlement {
            case .pending: .saved
            case .applied: .settled
            case .refused: .attention
            }
    }
}
