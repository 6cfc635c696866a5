import Carboy
import CarboyRider
import Foundation
import TestSupport
import Testing

/// A rider's day through the screens, with the real core, a real server and a link that comes and goes.
@MainActor @Suite(.timeLimit(.minutes(2)))
final class ShiftTests: World {
    @Test func aShiftEndsWithTheLedgerRightToTheCoinWhateverTheNetworkDid() async throws {
        let phone = try phone("rider")
        let rider = try await setUp(phone)
        let before = try await balances(phone, rider)
        for step in [Step.startShift, .loadStock, .deliver, .collectCash] { try await step.perform(phone, rider) }
        await rider.status.send()
        try await until("two ticks") { rider.route.stops[0].mark == .settled && rider.status.mark == .settled }
        #expect(rider.route.stops[0].state == phone.texts(.stopDelivered))

        // Down into the car park: hours without a network, and the app goes on.
        link.set(.down)
        try await phone.network(online: false)
        try await workOffline(phone, rider)
        let other = try await meanwhile(rider)
        try await windowInTheBackground(phone, rider)

        link.set(.up)
        try await phone.network(online: true)
        await rider.status.send()
        try await settleTheEdit(phone, rider)
        for step in [Step.handIn, .giveBack, .finishShift] { try await step.perform(phone, rider) }
        await rider.status.send()
        try await until("everything to be sent") { rider.status.mark == .settled }
        try await dayIsClosed(phone, rider)
        try await ledgerIsRight(other.0, other.1, before)
    }

    private func setUp(_ phone: Phone) async throws -> RiderModel {
        let enrolment = try await phone.enrolment()
        #expect(!enrolment.canStart)
        enrolment.take("https://example.com")
        #expect(enrolment.problem == phone.texts(.enrolNoLink))
        enrolment.take(server.link("0000-0000", over: link.address))
        await enrolment.start()
        #expect(enrolment.problem == phone.texts(.errorWrongCode))
        let rider = try await phone.enrolled(server.link(server.code(), over: link.address))
        #expect(rider.route.stops.count == 6)
        #expect(rider.route.left == "6 stops to go")
        return rider
    }

    /// A stop in vain, a new number, and a delivery that is paid in full; all of it with one tick.
    private func workOffline(_ phone: Phone, _ rider: RiderModel) async throws {
        for step in [Step.fail, .edit] { try await step.perform(phone, rider) }
        let stop = try await phone.stop(rider, 3)
        stop.bottles.addFull(Step.product, 1)
        #expect(stop.price == phone.texts(.forThisDelivery, phone.texts.money(kes(15_000))))
        await stop.confirm()
        stop.takeAll()
        await stop.collect()
        #expect(stop.problem == nil)
        try await until("the balance to be paid") { stop.balance == phone.texts(.owesNothing) }
        try await until("one tick") { rider.route.stops[1].mark == .saved && rider.route.stops[3].mark == .saved }
        try await until("four records that wait") {
            rider.status.headline == "4 records are saved on this phone and not sent yet"
        }
        #expect(rider.status.mark == .saved)
        try await until("offline") { rider.status.exchange == phone.texts(.stateOffline) }
        try await until("four lines") {
            rider.waiting.rows.count == 4 && rider.waiting.rows.allSatisfy { $0.mark == .saved }
        }
        try await until("three stops to be done") { rider.route.progress == "Done: 3 of 6" }
    }

    /// Another rider gives the same customer another number, twice; the manager makes a gift.
    private func meanwhile(_ rider: RiderModel) async throws -> (Phone, RiderModel) {
        let other = try await other()
        for number in ["0711", "0722"] {
            let customer = try await other.0.customer(other.1, 2)
            customer.edit()
            customer.fields[.phone] = number
            await customer.save()
            #expect(customer.problem == nil)
        }
        await other.1.status.send()
        try await server.adjust(rider.route.stops[0].id, by: -5_000, reason: "a gift")
        return other
    }

    /// The app goes to the back, the system lets it run for 25 seconds later, and there is no network then either.
    private func windowInTheBackground(_ phone: Phone, _ rider: RiderModel) async throws {
        phone.shell.hidden()
        try await until("the app to be suspended") {
            phone.time.open.isEmpty && phone.scheduler.submitted.contains(.refresh)
        }
        #expect(phone.scheduler.submitted.contains(.drain))
        #expect(try await phone.scheduler.grant(.refresh) == false)
        #expect(rider.status.mark == .saved)
        phone.shell.shown()
    }

    private func settleTheEdit(_ phone: Phone, _ rider: RiderModel) async throws {
        try await until("an item that needs the rider") { rider.attention.items.count == 1 }
        let item = rider.attention.items[0]
        #expect(item.lines == [phone.texts(.shownNow, "0722"), phone.texts(.yours, Step.number)])
        #expect(item.actions == [.keepShown, .keepMine])
        try await until("a mark at the stop") {
            rider.route.stops[2].mark == .attention && rider.status.headline == "1 thing needs you"
        }
        #expect(rider.status.mark == .attention)
        await rider.attention.act(.keepMine, on: item)
        #expect(rider.attention.problem == nil)
        try await until("nothing to need the rider") { rider.attention.items.isEmpty }
        await rider.status.send()
    }

    private func dayIsClosed(_ phone: Phone, _ rider: RiderModel) async throws {
        let day = rider.day
        try await until("the day to be closed") { !day.isOpen }
        let money = { (minor: Int64) in phone.texts.money(kes(minor)) }
        let other = try await balances(phone, rider)
        #expect(other[3] == 0)
        try await until("two ticks everywhere") { rider.records.rows.allSatisfy { $0.mark == .settled } }
        let values = Dictionary(uniqueKeysWithValues: day.figures.map { ($0.name, $0.value) })
        #expect(values[phone.texts(.deliveries)] == "2")
        #expect(values[phone.texts(.failures)] == "1")
        #expect(values[phone.texts(.cashInHand)] == money(0))
        #expect(values[phone.texts(.collected)] == values[phone.texts(.handedIn)])
        #expect(rider.waiting.rows.isEmpty)
    }

    private func ledgerIsRight(_ phone: Phone, _ rider: RiderModel, _ before: [Int64]) async throws {
        await rider.status.send()
        var expected = before
        expected[0] += Step.owedMore - 5_000
        expected[3] = 0
        #expect(try await balances(phone, rider) == expected)
        let lines = try await ledger(phone, rider.route.stops[0].id)
        #expect(lines.suffix(3).sorted() == [-20_000, -5_000, 45_000])
        #expect(try await ledger(phone, rider.route.stops[3].id).suffix(2) == [15_000, -(before[3] + 15_000)])
        let customer = try await phone.customer(rider, 2)
        try await until("the rider's number") { customer.customer?.phone == Step.number }
    }
}
