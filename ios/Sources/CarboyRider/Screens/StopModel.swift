// A stop: bottles handed over, cash collected, or why it was in vain. Each button is one record.

import Carboy
import Foundation
import Observation

/// What a rider does at a stop.
@MainActor @Observable
public final class StopModel: Screen {
    /// Who is visited; nothing until it was read.
    public private(set) var customer: Customer?
    /// What became of what was last recorded about it in this shift; nothing if nothing was.
    public private(set) var mark: Mark?
    /// Bottles handed over and empties taken back.
    public let bottles = Bottles()
    /// The number of the slip, if there is one.
    public var proof = ""
    /// The paths of the photos that go with the delivery.
    public private(set) var photos: [String] = []
    /// The cash that the rider types.
    public var cash = ""
    /// Why it was in vain.
    public var reason = FailReason.closed
    /// More about that.
    public var note = ""

    /// The reasons to choose from.
    public let reasons = FailReason.allCases
    /// The most photos with one delivery.
    public static let mostPhotos = 5

    private let id: CustomerId

    public init(_ rider: Rider, _ texts: Texts, customer: CustomerId) {
        id = customer
        super.init(rider, texts)
    }

    public var name: String { customer?.name ?? "" }

    /// What the customer owes, in words.
    public var balance: String { customer.map { texts.balance($0.balance) } ?? "" }

    /// What the delivery on the screen costs, in words.
    public var price: String {
        guard let customer, let price = try? bottles.price(customer.balance.currency) else { return "" }
        return texts(.forThisDelivery, texts.money(price))
    }

    /// Whether there is a delivery to confirm.
    public var canConfirm: Bool { customer != nil && !bottles.isEmpty && !isWorking }

    /// All that is owed, for one tap; nothing if nothing is.
    public var allOfIt: String? {
        guard let owed = customer?.balance, owed.minor > 0 else { return nil }
        return texts(.allOfIt, texts.money(owed))
    }

    /// How many photos there are, in words; nothing without any.
    public var photoCount: String? { photos.isEmpty ? nil : texts(.photos, photos.count) }

    /// Whether another photo may go with the delivery.
    public var canAddPhoto: Bool { photos.count < Self.mostPhotos }

    /// Shows the stop for as long as the screen is there.
    public func run() async {
        let shown = rider.watch(.customers, .day, .outbox) { [id] carboy in
            let route = try carboy.day().shift?.route
            let stop = try route.flatMap { try carboy.stops(route: $0).first { $0.customer.customer == id } }
            return Shown(customer: try carboy.customer(customer: id), stop: stop, products: try carboy.products())
        }
        await follow(shown) { shown in
            customer = shown.customer
            mark = shown.stop?.state == nil ? nil : shown.stop?.settled == true ? .settled : .saved
            bottles.take(shown.products)
        }
    }

    /// A photo was taken; its file is kept until the delivery is confirmed.
    public func addPhoto(_ path: String) { if canAddPhoto { photos.append(path) } }

    /// The photos are not wanted, or the core has its own copies.
    public func removePhotos() {
        // What cannot be removed goes with the rest of the system's temporary files.
        for photo in photos { try? FileManager.default.removeItem(atPath: photo) }
        photos = []
    }

    /// Records the delivery.
    public func confirm() async {
        guard canConfirm else { return }
        let (lines, proof, photos) = (bottles.delivered, proof.ifAny, photos)
        await attempt { [rider, id] in
            let receipt = try await rider.record {
                try $0.confirmDelivery(customer: id, lines: lines, proof: proof, photos: photos)
            }
            saved(receipt)
            bottles.clear()
            self.proof = ""
            removePhotos()
        }
    }

    /// Types all that is owed.
    public func takeAll() {
        guard let owed = customer?.balance, owed.minor > 0 else { return }
        cash = texts.typed(owed)
    }

    /// Records the cash.
    public func collect() async {
        guard let currency = customer?.balance.currency else { return }
        guard let amount = Money(typed: cash, currency: currency, locale: texts.locale) else {
            problem = texts(.errorAmount)
            return
        }
        await attempt { [rider, id] in
            saved(try await rider.record { try $0.collectCash(customer: id, amount: amount) })
            cash = ""
        }
    }

    /// Records that it was in vain.
    public func fail() async {
        let (reason, note) = (reason, note.ifAny)
        await attempt { [rider, id] in
            saved(try await rider.record { try $0.failDelivery(customer: id, reason: reason, note: note) })
            self.note = ""
        }
    }

    /// Records how far the rider got.
    public func note(_ progress: StopProgress) async {
        await attempt { [rider, id] in
            saved(try await rider.record { try $0.noteProgress(customer: id, progress: progress) })
        }
    }

    private func saved(_ receipt: Receipt) {
        customer = receipt.customer
        notice = texts(.savedReceipt, receipt.code)
    }

    private struct Shown: Equatable, Sendable {
        let customer: Customer
        let stop: Stop?
        let products: [Product]
    }
}
