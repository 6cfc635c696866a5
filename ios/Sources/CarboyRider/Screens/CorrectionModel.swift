// A record that was not accepted, with what the rider corrects in it before it is sent again.

import Carboy
import Foundation
import Observation

/// Corrects a record and sends it in place of the one that was not accepted.
@MainActor @Observable
public final class CorrectionModel: Screen, Identifiable {
    /// What of the record can be corrected here.
    public enum Form: Sendable, Equatable {
        case amount, bottles, fields, failure, customer, route
    }

    public nonisolated let id: UInt64
    public let title: String
    /// Why it was not accepted.
    public let reason: String
    public let form: Form?

    /// The cash that the rider types.
    public var cash = ""
    /// The bottles that he counts.
    public let bottles = Bottles()
    /// The profile that he types, by field.
    public var fields: [Field: String] = [:]
    /// Why the delivery failed.
    public var failure = FailReason.other
    /// More about that.
    public var note = ""
    /// Whom it is about.
    public var customer: CustomerId?
    /// The route that it is about.
    public var route: RouteId?
    /// The routes to choose from.
    public private(set) var routes: [Route] = []
    /// The customers to choose from.
    public let customers: CustomersModel
    /// Whether it was sent.
    public private(set) var isDone = false

    private let kind: String
    private let body: Body?

    init(_ rider: Rider, _ texts: Texts, _ refused: Refused) {
        id = refused.id
        kind = refused.kind
        body = Body(refused.body)
        title = texts(.notAccepted, texts.kind(refused.kind))
        reason = texts.reason(refused.reason)
        form = Form(refused)
        customer = refused.customer
        customers = CustomersModel(rider, texts)
        super.init(rider, texts)
        take(body)
    }

    /// Reads what there is to choose from.
    public func load() async {
        await attempt { [rider] in
            let (products, routes) = try await rider.ask { (try $0.products(), try $0.routes()) }
            self.routes = routes
            bottles.take(products)
            for line in body?.lines ?? [] { bottles.set(line.product, full: line.full, empty: line.empty) }
        }
    }

    /// Sends it as corrected.
    public func send() async {
        guard let correction else {
            problem = texts(form == .amount ? .errorAmount : .errorInvalid)
            return
        }
        isDone = await attempt { [rider, id] in
            let receipt = try await rider.record { try $0.resend(id: id, correction: correction) }
            notice = texts(.savedReceipt, receipt.code)
        }
    }

    private var correction: Correction? {
        switch form {
        case .amount:
            body?.amount
                .flatMap { Money(typed: cash, currency: $0.currency, locale: texts.locale) }
                .map { .amount(amount: $0) }
        case .bottles:
            kind == "confirm_delivery" ? .lines(lines: bottles.delivered) : .stock(lines: bottles.stock)
        case .fields: .fields(fields: fields.mapValues(\.trimmed))
        case .failure: .failure(reason: failure, note: note.ifAny)
        case .customer: customer.map { .customer(customer: $0) }
        case .route: .route(route: route)
        case nil: nil
        }
    }

    private func take(_ body: Body?) {
        guard let body else { return }
        cash = body.amount.map(texts.typed) ?? ""
        fields = body.fields
        failure = body.failure ?? .other
        note = body.note ?? ""
        route = body.route
    }
}

extension CorrectionModel.Form {
    /// What is to be corrected follows from the reason where that says it, and from the kind otherwise.
    fileprivate init?(_ refused: Refused) {
        switch (refused.kind, refused.reason) {
        case (_, "unknown_customer") where refused.kind != "add_customer": self = .customer
        case ("collect_cash", _), ("hand_in_cash", _): self = .amount
        case ("confirm_delivery", _), ("load_stock", _), ("return_stock", _): self = .bottles
        case ("update_profile", _), ("add_customer", _): self = .fields
        case ("fail_delivery", _): self = .failure
        case ("note_progress", _): self = .customer
        case ("start_shift", _): self = .route
        default: return nil
        }
    }
}

/// What stands in a record's JSON, as far as a rider can correct it.
struct Body {
    struct Line {
        let product: ProductCode
        let full: Int32
        let empty: Int32
    }

    private struct Raw: Decodable {
        struct Amount: Decodable {
            let minor: Int64
            let currency: String
        }

        struct Line: Decodable {
            let product: String
            let delivered: Int32?
            let empties: Int32?
            let full: Int32?
            let empty: Int32?
        }

        let amount: Amount?
        let lines: [Line]?
        let changes: [String: String]?
        let fields: [String: String]?
        let reason: String?
        let note: String?
        let route: String?
    }

    let amount: Money?
    let lines: [Line]
    let fields: [Field: String]
    let failure: FailReason?
    let note: String?
    let route: RouteId?

    /// Nothing if it cannot be read any more.
    init?(_ json: String) {
        guard let raw = try? JSONDecoder().decode(Raw.self, from: Data(json.utf8)) else { return nil }
        amount = raw.amount.map { Money(minor: $0.minor, currency: $0.currency) }
        lines = (raw.lines ?? []).map { line in
            let (full, empty) = (line.delivered ?? line.full ?? 0, line.empties ?? line.empty ?? 0)
            return Line(product: ProductCode(line.product), full: full, empty: empty)
        }
        let named = raw.changes ?? raw.fields ?? [:]
        fields = Dictionary(uniqueKeysWithValues: Field.allCases.compactMap { field in
            named["\(field)"].map { (field, $0) }
        })
        failure = Self.reasons[raw.reason ?? ""]
        note = raw.note
        route = raw.route.map { RouteId($0) }
    }

    private static let reasons: [String: FailReason] = [
        "closed": .closed, "absent": .absent, "refused": .refused, "no_access": .noAccess, "no_stock": .noStock,
        "other": .other,
    ]
}
