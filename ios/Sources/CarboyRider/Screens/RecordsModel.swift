// What was recorded on this phone, and what of it still waits to be sent.

import Carboy
import Foundation
import Observation

/// Records as lines of a list; each can be taken back for as long as the core allows.
@MainActor @Observable
public final class RecordsModel: Screen {
    /// Which records.
    public enum Which: Sendable {
        /// Those that wait to be sent, oldest first.
        case waiting
        /// All, newest first.
        case all
    }

    /// A record.
    public struct Row: Sendable, Identifiable, Equatable {
        /// Its number on this phone.
        public let id: UInt64
        /// What it is, and about whom.
        public let title: String
        /// When, and its receipt.
        public let detail: String
        /// What it put on a balance; empty if nothing.
        public let amount: String
        public let mark: Mark
        public let canTakeBack: Bool
        /// All of it for VoiceOver.
        public let label: String
    }

    /// The records, as far as they were asked for.
    public private(set) var rows: [Row] = []
    /// Whether there are more.
    public private(set) var hasMore = false
    /// How many are asked for. The screen runs anew with another limit.
    public private(set) var limit: UInt32 = page

    private static let page: UInt32 = 50
    private let which: Which

    public init(_ rider: Rider, _ texts: Texts, _ which: Which) {
        self.which = which
        super.init(rider, texts)
    }

    /// Shows the records for as long as the screen is there.
    public func run() async {
        let records = rider.watch(.outbox, .day, .attention) { [which, limit] carboy in
            switch which {
            case .waiting: try carboy.waiting(after: 0, limit: limit + 1)
            case .all: try carboy.records(before: nil, limit: limit + 1)
            }
        }
        await follow(records) { [limit] records in
            rows = records.prefix(Int(limit)).map(row)
            hasMore = records.count > limit
        }
    }

    /// Shows one page more.
    public func more() { limit += Self.page }

    /// Takes a record back; it stays to be seen.
    public func takeBack(_ id: UInt64) async {
        await attempt { [rider] in
            let receipt = try await rider.record { try $0.withdraw(id: id, reason: nil) }
            notice = texts(.savedReceipt, receipt.code)
        }
    }

    private func row(_ record: Record) -> Row {
        let kind = texts.kind(record.kind)
        let title = record.customerName.isEmpty ? kind : texts.labelled(kind, record.customerName)
        let detail = texts.joined([
            record.at.map { texts.moment($0) } ?? "", record.code.isEmpty ? "" : texts(.receipt, record.code),
            record.withdrawn ? texts(.takenBack) : "",
        ])
        let amount = record.amount.minor == 0 ? "" : texts.money(record.amount)
        let mark = Mark(record.state)
        return Row(
            id: record.id, title: title, detail: detail, amount: amount, mark: mark, canTakeBack: record.canWithdraw,
            label: texts.joined([title, amount, detail, mark.label(texts)]))
    }
}
