// The line on every screen that says what is saved, what is sent and what needs the rider.

import Carboy
import Observation

/// How things stand between this phone and the server.
@MainActor @Observable
public final class StatusModel: Screen {
    private var status: Status { rider.status }

    public override init(_ rider: Rider, _ texts: Texts) { super.init(rider, texts) }

    /// The one look.
    public var mark: Mark {
        if status.attention > 0 || needsPerson { return .attention }
        return status.pending > 0 || status.photos > 0 ? .saved : .settled
    }

    /// The same in words, the most pressing first.
    public var headline: String {
        if needsPerson { return exchange }
        if status.attention > 0 { return texts(.statusAttention, status.attention) }
        return waiting
    }

    /// What waits to be sent.
    public var waiting: String {
        if status.pending > 0 { return texts(.statusSaved, status.pending) }
        return status.photos > 0 ? texts(.statusPhotos, status.photos) : texts(.statusAllSent)
    }

    /// Photos that wait behind the records.
    public var photos: String? {
        status.pending > 0 && status.photos > 0 ? texts(.statusPhotos, status.photos) : nil
    }

    /// Since when something waits.
    public var since: String? { status.oldestPending.map { texts(.statusSince, texts.moment($0)) } }

    /// What the exchange is doing.
    public var exchange: String { texts.state(status.state) }

    /// When the server last answered.
    public var contact: String {
        status.lastContact.map { texts(.lastContact, texts.moment($0)) } ?? texts(.noContact)
    }

    /// How many things need the rider, for a badge.
    public var attention: Int { Int(clamping: status.attention) }

    /// How many records wait to be sent, for a badge.
    public var pending: Int { Int(clamping: status.pending) }

    /// Everything in one sentence for VoiceOver.
    public var label: String { texts.joined([mark.label(texts), headline, exchange]) }

    /// Sends now what waits.
    public func send() async {
        await attempt { [rider] in _ = try await rider.syncNow() }
    }

    /// Whether nothing is sent any more until a person acts.
    private var needsPerson: Bool { status.state == .needsSignIn || status.state == .needsUpgrade }
}
