// Counting bottles by product with one thumb.

import Carboy
import Observation

/// How many bottles of one product, full and empty.
public struct BottleCount: Sendable, Identifiable, Equatable {
    public let id: ProductCode
    public let name: String
    public let price: Money
    public internal(set) var full: Int32 = 0
    public internal(set) var empty: Int32 = 0
}

/// The counts of a form, by product.
@MainActor @Observable
public final class Bottles {
    /// One line for each product.
    public private(set) var counts: [BottleCount] = []

    /// The most that a record takes in one line.
    private static let most: Int32 = 10_000

    init() {}

    /// Whether there is a bottle at all.
    public var isEmpty: Bool { counts.allSatisfy { $0.full == 0 && $0.empty == 0 } }

    /// So many full ones more, or less; never below none.
    public func addFull(_ product: ProductCode, _ more: Int32) {
        change(product) { $0.full = Self.added($0.full, more) }
    }

    /// So many empty ones more, or less; never below none.
    public func addEmpty(_ product: ProductCode, _ more: Int32) {
        change(product) { $0.empty = Self.added($0.empty, more) }
    }

    /// Takes the products as the phone has them now, and keeps what was counted.
    func take(_ products: [Product]) {
        counts = products.map { product in
            let before = counts.first { $0.id == product.code }
            return BottleCount(
                id: product.code, name: product.name, price: product.price, full: before?.full ?? 0,
                empty: before?.empty ?? 0)
        }
    }

    func clear() {
        for index in counts.indices { (counts[index].full, counts[index].empty) = (0, 0) }
    }

    func set(_ product: ProductCode, full: Int32, empty: Int32) {
        change(product) { ($0.full, $0.empty) = (full, empty) }
    }

    /// What is counted, as lines of a delivery.
    var delivered: [DeliveredLine] {
        counted.map { DeliveredLine(product: $0.id, delivered: $0.full, empties: $0.empty) }
    }

    /// What is counted, as lines of a stock record.
    var stock: [StockLine] { counted.map { StockLine(product: $0.id, full: $0.full, empty: $0.empty) } }

    /// What the full ones cost.
    func price(_ currency: String) throws -> Money {
        try counts.reduce(Money(minor: 0, currency: currency)) { try $0 + $1.price * Int($1.full) }
    }

    private var counted: [BottleCount] { counts.filter { $0.full != 0 || $0.empty != 0 } }

    private func change(_ product: ProductCode, _ change: (inout BottleCount) -> Void) {
        if let index = counts.firstIndex(where: { $0.id == product }) { change(&counts[index]) }
    }

    private static func added(_ count: Int32, _ more: Int32) -> Int32 { min(max(count + more, 0), most) }
}
