// A customer: profile, balance, history, and what other people wrote meanwhile.

import Carboy
import Foundation
import Observation

/// A customer's screen.
@MainActor @Observable
public final class CustomerModel: Screen {
    /// A line of the history.
    public struct Line: Sendable, Identifiable, Equatable {
        public let id: TxnId
        /// What happened.
        public let title: String
        /// When and by whom, and what was noted.
        public let detail: String
        /// What it put on the balance; empty if nothing.
        public let amount: String
        /// Whether the server has it.
        public let mark: Mark
        /// All of it for VoiceOver.
        public let label: String
    }

    /// The customer; nothing until it was read.
    public private(set) var customer: Customer?
    /// The history, newest first, as far as it was asked for.
    public private(set) var history: [Line] = []
    /// Whether there is more of it.
    public private(set) var hasMore = false
    /// How many lines are asked for. The screen runs anew with another limit.
    public private(set) var limit: UInt32 = page
    /// Whether the rider edits the profile.
    public private(set) var isEditing = false
    /// What the rider types, by field, while he edits.
    public var fields: [Field: String] = [:]

    private static let page: UInt32 = 30
    private let id: CustomerId
    /// What stood there when the rider began to edit: only what he changed is recorded.
    private var before: [Field: String] = [:]

    public init(_ rider: Rider, _ texts: Texts, customer: CustomerId) {
        id = customer
        super.init(rider, texts)
    }

    public var name: String { customer?.name ?? "" }

    /// What the customer owes, in words.
    public var balance: String { customer.map { texts.balance($0.balance) } ?? "" }

    /// How much of that is only on this phone; nothing if none is.
    public var unsettled: String? {
        guard let unsettled = customer?.unsettled, unsettled.minor != 0 else { return nil }
        return texts(.notSentYet, texts.money(unsettled))
    }

    /// What to dial; nothing without a number.
    public var dial: URL? {
        guard let number = customer?.phone else { return nil }
        let digits = number.filter { $0.isASCII && $0.isNumber || $0 == "+" }
        return digits.isEmpty ? nil : URL(string: "tel:\(digits)")
    }

    /// The profile as lines to read.
    public var profile: [(field: Field, label: String, value: String)] {
        guard let customer else { return [] }
        return Field.allCases.map { ($0, texts.field($0), customer[$0]) }
    }

    /// What somebody else wrote into a field that shows another value; empty if nobody did.
    public func alsoWritten(_ field: Field) -> [String] {
        let conflict = customer?.conflicts.first { $0.field == field }
        return (conflict?.values.dropFirst() ?? []).map { value in
            texts(.alsoWritten, texts.role(value.role), value.value.isEmpty ? texts(.empty) : value.value)
        }
    }

    /// Shows the customer for as long as the screen is there.
    public func run() async {
        let shown = rider.watch(.customers, .outbox) { [id, limit] carboy in
            Shown(
                customer: try carboy.customer(customer: id),
                history: try carboy.history(customer: id, skip: 0, limit: limit + 1))
        }
        await follow(shown) { [limit] shown in
            customer = shown.customer
            history = shown.history.prefix(Int(limit)).map(line)
            hasMore = shown.history.count > limit
        }
    }

    /// Shows one page more of the history.
    public func more() { limit += Self.page }

    /// Lets the rider edit what is shown.
    public func edit() {
        guard let customer else { return }
        before = Dictionary(uniqueKeysWithValues: Field.allCases.map { ($0, customer[$0]) })
        fields = before
        isEditing = true
    }

    public func cancelEdit() { isEditing = false }

    /// Records what the rider changed; nothing if that is nothing.
    public func save() async {
        let changes = fields.mapValues { $0.trimmed }.filter { before[$0.key] != $0.value }
        guard changes[.name] != "" else {
            problem = texts(.nameNeeded)
            return
        }
        if changes.isEmpty { return cancelEdit() }
        await attempt { [rider, id] in
            let receipt = try await rider.record { try $0.updateProfile(customer: id, changes: changes) }
            customer = receipt.customer
            notice = texts(.savedReceipt, receipt.code)
            isEditing = false
        }
    }

    private func line(_ line: HistoryLine) -> Line {
        let mark: Mark = line.settled ? .settled : .saved
        let title = texts.kind(line.kind)
        let detail = texts.joined([texts.moment(line.at), texts.role(line.role), line.note ?? ""])
        let amount = line.amount.minor == 0 ? "" : texts.money(line.amount)
        return Line(
            id: line.txn, title: title, detail: detail, amount: amount, mark: mark,
            label: texts.joined([title, amount, detail, mark.label(texts)]))
    }

    private struct Shown: Equatable, Sendable {
        let customer: Customer
        let history: [HistoryLine]
    }
}

extension Customer {
    /// The value of a field.
    subscript(field: Field) -> String {
        switch field {
        case .name: name
        case .phone: phone
        case .address: address
        case .note: note
        }
    }
}
