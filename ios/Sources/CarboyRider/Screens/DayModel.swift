// The rider's day: the shift, bottles on board, cash, and what was recorded.

import Carboy
import Foundation
import Observation

/// The day's summary and what closes it.
@MainActor @Observable
public final class DayModel: Screen {
    /// A number of the day with its name.
    public struct Figure: Sendable, Identifiable, Equatable {
        public var id: String { name }
        public let name: String
        public let value: String
    }

    /// The bottles of one product.
    public struct Stock: Sendable, Identifiable, Equatable {
        public let id: ProductCode
        public let name: String
        public let onBoard: String
        public let ofTheDay: String
    }

    /// The routes that a shift may begin on.
    public private(set) var routes: [Route] = []
    /// The one that the next shift begins on.
    public var route: RouteId?
    /// Bottles that are loaded or given back.
    public let bottles = Bottles()
    /// The cash that the rider types to hand in.
    public var cash = ""
    /// The number of the plant's receipt for it, if there is one.
    public var note = ""

    private var day: DaySummary?
    private var names: [ProductCode: String] = [:]

    public override init(_ rider: Rider, _ texts: Texts) { super.init(rider, texts) }

    /// Whether a shift is open.
    public var isOpen: Bool { day?.shift != nil && day?.shift?.finishedAt == nil }

    /// How the shift stands, in words.
    public var shift: String {
        guard let shift = day?.shift else { return texts(.shiftNone) }
        if let end = shift.finishedAt { return texts(.shiftEnded, texts.moment(end)) }
        return texts(.shiftSince, texts.moment(shift.startedAt))
    }

    /// The counts and sums of the shift.
    public var figures: [Figure] {
        guard let day else { return [] }
        return [
            Figure(name: texts(.deliveries), value: texts.number(day.deliveries)),
            Figure(name: texts(.failures), value: texts.number(day.failures)),
            Figure(name: texts(.newCustomers), value: texts.number(day.customers)),
            Figure(name: texts(.collected), value: texts.money(day.collected)),
            Figure(name: texts(.handedIn), value: texts.money(day.handedIn)),
            Figure(name: texts(.cashInHand), value: texts.money(day.cashInHand)),
        ]
    }

    /// The bottles by product.
    public var stock: [Stock] {
        (day?.products ?? []).map { bottles in
            Stock(
                id: bottles.product, name: names[bottles.product] ?? bottles.product.text,
                onBoard: texts(.onBoard, bottles.onBoard, bottles.emptiesOnBoard),
                ofTheDay: texts(.ofTheDay, bottles.loaded, bottles.delivered, bottles.returned))
        }
    }

    /// All the cash in hand, for one tap; nothing without any.
    public var allOfIt: String? {
        guard let cash = day?.cashInHand, cash.minor > 0 else { return nil }
        return texts(.allOfIt, texts.money(cash))
    }

    /// What the rider should know before he finishes; nothing if he carries no cash.
    public var warning: String? {
        guard let cash = day?.cashInHand, cash.minor > 0 else { return nil }
        return texts(.finishWithCash, texts.money(cash))
    }

    /// Shows the day for as long as the screen is there.
    public func run() async {
        let shown = rider.watch(.customers, .day) { carboy in
            Shown(day: try carboy.day(), routes: try carboy.routes(), products: try carboy.products())
        }
        await follow(shown) { shown in
            day = shown.day
            routes = shown.routes
            if !routes.contains(where: { $0.route == route }) { route = routes.first?.route }
            names = Dictionary(uniqueKeysWithValues: shown.products.map { ($0.code, $0.name) })
            bottles.take(shown.products)
        }
    }

    /// Begins the shift on the route that is chosen.
    public func start() async {
        await record { [route] in try $0.startShift(route: route) }
    }

    /// Ends the shift.
    public func finish() async {
        await record { try $0.finishShift() }
    }

    /// Records the bottles as loaded.
    public func load() async {
        guard !bottles.isEmpty else { return }
        if await record({ [lines = bottles.stock] in try $0.loadStock(lines: lines) }) { bottles.clear() }
    }

    /// Records the bottles as given back.
    public func giveBack() async {
        guard !bottles.isEmpty else { return }
        if await record({ [lines = bottles.stock] in try $0.returnStock(lines: lines) }) { bottles.clear() }
    }

    /// Types all the cash in hand.
    public func takeAll() {
        if let cash = day?.cashInHand, cash.minor > 0 { self.cash = texts.typed(cash) }
    }

    /// Records the cash as handed in.
    public func handIn() async {
        guard let currency = day?.cashInHand.currency else { return }
        guard let amount = Money(typed: cash, currency: currency, locale: texts.locale) else {
            problem = texts(.errorAmount)
            return
        }
        let isIn = await record { [note = note.ifAny] in try $0.handInCash(amount: amount, note: note) }
        if isIn { (cash, note) = ("", "") }
    }

    @discardableResult
    private func record(_ action: @escaping @Sendable (Carboy) throws -> DayReceipt) async -> Bool {
        await attempt { [rider] in
            let receipt = try await rider.record(action)
            day = receipt.day
            notice = texts(.savedReceipt, receipt.code)
        }
    }

    private struct Shown: Equatable, Sendable {
        let day: DaySummary
        let routes: [Route]
        let products: [Product]
    }
}
