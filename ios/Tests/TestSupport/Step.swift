// A rider's day in steps, each of which is one tap that records something.

import Carboy
import CarboyRider

/// A step of the day. What it records is counted on the server once, whatever happened meanwhile.
public enum Step: String, CaseIterable, Sendable {
    case startShift, loadStock, deliver, collectCash, fail, edit, handIn, giveBack, finishShift

    /// The kind of its record.
    public var kind: String {
        switch self {
        case .startShift: "start_shift"
        case .loadStock: "load_stock"
        case .deliver: "confirm_delivery"
        case .collectCash: "collect_cash"
        case .fail: "fail_delivery"
        case .edit: "update_profile"
        case .handIn: "hand_in_cash"
        case .giveBack: "return_stock"
        case .finishShift: "finish_shift"
        }
    }

    /// What the first customer owes more after all of them: three bottles at 150.00, and 200.00 paid.
    public static let owedMore: Int64 = 3 * 15_000 - 20_000
    /// What is delivered, at 150.00 a bottle.
    public static let product = ProductCode("20L")
    /// The number that the third customer has after all of them.
    public static let number = "0733 123456"

    /// Whether it is on the phone.
    @MainActor
    public func isDone(_ phone: Phone) async throws -> Bool {
        try await phone.core().ask { try $0.records(before: nil, limit: 100) }.contains { $0.kind == kind }
    }

    /// The taps of a rider.
    @MainActor
    public func perform(_ phone: Phone, _ rider: RiderModel) async throws {
        let day = rider.day
        try await until("the day") { !day.routes.isEmpty && !day.bottles.counts.isEmpty }
        let product = Self.product
        let screen: Screen
        switch self {
        case .startShift:
            await day.start()
            screen = day
        case .loadStock:
            day.bottles.addFull(product, 20)
            await day.load()
            screen = day
        case .deliver:
            let stop = try await phone.stop(rider, 0)
            stop.bottles.addFull(product, 3)
            stop.bottles.addEmpty(product, 2)
            await stop.confirm()
            screen = stop
        case .collectCash:
            let stop = try await phone.stop(rider, 0)
            stop.cash = "200"
            await stop.collect()
            screen = stop
        case .fail:
            let stop = try await phone.stop(rider, 1)
            stop.reason = .absent
            await stop.fail()
            screen = stop
        case .edit:
            let customer = try await phone.customer(rider, 2)
            customer.edit()
            customer.fields[.phone] = Self.number
            await customer.save()
            screen = customer
        case .handIn:
            try await until("cash in hand") { day.allOfIt != nil }
            day.takeAll()
            await day.handIn()
            screen = day
        case .giveBack:
            day.bottles.addFull(product, 17)
            day.bottles.addEmpty(product, 2)
            await day.giveBack()
            screen = day
        case .finishShift:
            await day.finish()
            screen = day
        }
        if let problem = screen.problem { throw TestFailure("\(self): \(problem)") }
        guard screen.notice != nil else { throw TestFailure("\(self) recorded nothing") }
    }
}
