// What needs the rider, and what he can do about each.

import Carboy
import Observation

/// The attention list.
@MainActor @Observable
public final class AttentionModel: Screen {
    /// What the rider may do about an item.
    public enum Action: Sendable, CaseIterable {
        case sendAgain, correct, takeBack, leaveIt, keepShown, keepMine, seen
    }

    /// Something that needs the rider.
    public struct Item: Sendable, Identifiable, Equatable {
        public let id: String
        public let title: String
        /// What is to be known about it, line by line.
        public let lines: [String]
        public let actions: [Action]
        let attention: Attention

        /// All of it for VoiceOver.
        public let label: String
    }

    /// The items, as far as they were asked for.
    public private(set) var items: [Item] = []
    /// Whether there are more.
    public private(set) var hasMore = false
    /// How many are asked for. The screen runs anew with another limit.
    public private(set) var limit: UInt32 = page
    /// What the rider corrects at the moment; nothing if nothing.
    public var correction: CorrectionModel?

    private static let page: UInt32 = 50

    public override init(_ rider: Rider, _ texts: Texts) { super.init(rider, texts) }

    /// Shows what needs the rider for as long as the screen is there.
    public func run() async {
        let attention = rider.watch(.attention, .customers, .outbox) { [limit] carboy in
            try carboy.attention(skip: 0, limit: limit + 1)
        }
        await follow(attention) { [limit] attention in
            items = attention.prefix(Int(limit)).map(item)
            hasMore = attention.count > limit
        }
    }

    /// Shows one page more.
    public func more() { limit += Self.page }

    /// What an action is called.
    public func label(_ action: Action) -> String {
        switch action {
        case .sendAgain: texts(.sendAgain)
        case .correct: texts(.correct)
        case .takeBack: texts(.takeBack)
        case .leaveIt: texts(.leaveIt)
        case .keepShown: texts(.keepShown)
        case .keepMine: texts(.keepMine)
        case .seen: texts(.fileSeen)
        }
    }

    /// Does what the rider chose.
    public func act(_ action: Action, on item: Item) async {
        switch (item.attention, action) {
        case (.mutation(let refused), .correct): correction = CorrectionModel(rider, texts, refused)
        case (.mutation(let refused), .sendAgain): await settle { try $0.retry(id: refused.id).code }
        case (.mutation(let refused), .takeBack): await settle { try $0.withdraw(id: refused.id, reason: nil).code }
        case (.mutation(let refused), .leaveIt): await settle { try $0.accept(id: refused.id).code }
        case (.edit(let lost), .keepShown): await settle(lost, .shown)
        case (.edit(let lost), .keepMine): await settle(lost, .mine)
        case (.file, .seen): await settle { try $0.accept(id: 0).code }
        default: assertionFailure("\(action) does not fit \(item.title)")
        }
    }

    private func settle(_ lost: LostEdit, _ keep: Keep) async {
        await settle { try $0.settleEdit(customer: lost.customer, field: lost.field, keep: keep).code }
    }

    private func settle(_ choice: @escaping @Sendable (Carboy) throws -> String) async {
        await attempt { [rider] in
            let code = try await rider.record(choice)
            notice = code.isEmpty ? nil : texts(.savedReceipt, code)
        }
    }

    private func item(_ attention: Attention) -> Item {
        switch attention {
        case .mutation(let refused): item(refused, attention)
        case .edit(let lost): item(lost, attention)
        case .file: item("file", attention, texts(.fileTitle), [texts(.fileText)], [.seen])
        }
    }

    private func item(_ refused: Refused, _ attention: Attention) -> Item {
        let kind = texts.kind(refused.kind)
        let what = refused.customerName.isEmpty ? kind : texts.labelled(kind, refused.customerName)
        let amount = Body(refused.body)?.amount.map { texts.money($0) } ?? ""
        let about = texts.joined([amount, refused.at.map { texts.moment($0) } ?? ""])
        let lines = [about, texts.reason(refused.reason)].filter { !$0.isEmpty }
        return item("\(refused.id)", attention, texts(.notAccepted, what), lines, refused.choices.map(Action.init))
    }

    private func item(_ lost: LostEdit, _ attention: Attention) -> Item {
        let title = texts(.changedByBoth, texts.field(lost.field), lost.customerName)
        let value = { [texts] (value: Value) in value.value.isEmpty ? texts(.empty) : value.value }
        let lines = [texts(.shownNow, value(lost.shown)), texts(.yours, value(lost.mine))]
        return item("\(lost.customer) \(lost.field)", attention, title, lines, [.keepShown, .keepMine])
    }

    private func item(
        _ id: String, _ attention: Attention, _ title: String, _ lines: [String], _ actions: [Action]
    ) -> Item {
        Item(
            id: id, title: title, lines: lines, actions: actions, attention: attention,
            label: texts.joined([Mark.attention.label(texts), title] + lines))
    }
}

extension AttentionModel.Action {
    fileprivate init(_ choice: Choice) {
        self =
            switch choice {
            case .retry: .sendAgain
            case .correct: .correct
            case .withdraw: .takeBack
            case .accept: .leaveIt
            }
    }
}
