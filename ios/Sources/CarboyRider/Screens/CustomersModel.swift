// Looking for a customer who is not on the route, and adding one.

import Carboy
import Foundation
import Observation

/// The customers by name, as far as they match what the rider types.
@MainActor @Observable
public final class CustomersModel: Screen {
    /// A customer as a line of the list.
    public struct Row: Sendable, Identifiable, Equatable {
        public let id: CustomerId
        public let name: String
        public let address: String
        /// What the customer owes, in words.
        public let balance: String
        /// All of it for VoiceOver.
        public let label: String
    }

    /// What the rider looks for. The screen runs anew with another text.
    public var search = ""
    /// Those who match, by name, as far as they were asked for.
    public private(set) var customers: [Row] = []
    /// Whether there are more behind those.
    public private(set) var hasMore = false
    /// How many are asked for.
    public private(set) var limit: UInt32 = page

    private static let page: UInt32 = 50
    private var wasRead = false

    public override init(_ rider: Rider, _ texts: Texts) { super.init(rider, texts) }

    /// Whether the search found nobody.
    public var isEmpty: Bool { wasRead && customers.isEmpty }

    /// Shows who matches for as long as the screen is there.
    public func run() async {
        let found = rider.watch(.customers, .outbox) { [search, limit] carboy in
            try carboy.customers(search: search, after: nil, limit: limit + 1)
        }
        await follow(found) { [limit] found in
            customers = found.prefix(Int(limit)).map(row)
            hasMore = found.count > limit
            wasRead = true
        }
    }

    /// Shows one page more. The screen runs anew with another limit.
    public func more() { limit += Self.page }

    private func row(_ customer: CustomerRow) -> Row {
        let balance = texts.balance(customer.balance)
        return Row(
            id: customer.customer, name: customer.name, address: customer.address, balance: balance,
            label: texts.joined([customer.name, customer.address, balance]))
    }
}

/// A customer whom the rider met on the way.
@MainActor @Observable
public final class NewCustomerModel: Screen {
    /// What the rider types, by field.
    public var fields: [Field: String] = [:]
    /// The customer, once added.
    public private(set) var added: CustomerId?

    private let route: RouteId?

    /// Adds the customer as the last stop of `route`, if one is given.
    public init(_ rider: Rider, _ texts: Texts, route: RouteId?) {
        self.route = route
        super.init(rider, texts)
    }

    /// Adds the customer, who can be delivered to at once.
    public func add() async {
        let fields = fields.mapValues { $0.trimmed }.filter { !$0.value.isEmpty }
        guard fields[.name] != nil else {
            problem = texts(.nameNeeded)
            return
        }
        await attempt { [rider, route] in
            let receipt = try await rider.record { try $0.addCustomer(fields: fields, route: route) }
            added = receipt.customer.customer
            notice = texts(.savedReceipt, receipt.code)
        }
    }
}

extension [Field: String] {
    /// What was typed into a field; empty before.
    public subscript(typed field: Field) -> String {
        get { self[field] ?? "" }
        set { self[field] = newValue }
    }
}

extension String {
    /// Without the blanks at its ends.
    var trimmed: String { trimmingCharacters(in: .whitespacesAndNewlines) }

    /// Without the blanks at its ends; nothing if nothing is left.
    var ifAny: String? { trimmed.isEmpty ? nil : trimmed }
}
