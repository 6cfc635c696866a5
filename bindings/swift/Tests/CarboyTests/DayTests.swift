import Carboy
import Foundation
import XCTest

/// A rider's whole day, and what needs attention in it.
final class DayTests: ServerTests {
    func testAWholeDayRecordedOfflineAddsUpAndIsTheSameOnceTheServerHasIt() async throws {
        let carboy = try await phone()
        carboy.networkChanged(online: false)
        let route = try XCTUnwrap(carboy.routes().first).route
        let owed = try carboy.stops(route: route)[0].customer.balance.minor
        let evening = try wholeDay(carboy, route)
        XCTAssertEqual(try carboy.status().pending, 14)
        XCTAssertEqual(try carboy.status().photos, 1)
        XCTAssertEqual(try carboy.waiting(after: 0, limit: 2).map(\.kind), ["start_shift", "load_stock"])
        let states = try carboy.stops(route: route).map(\.state)
        XCTAssertEqual(states, [.delivered, .failed, .skipped, nil, nil, nil, .delivered])

        carboy.networkChanged(online: true)
        // The phone may have sent some of it by itself before this asks for it.
        let report = try await carboy.syncNow()
        XCTAssertEqual(report.status.pending, 0)
        XCTAssertEqual(report.status.photos, 0)
        XCTAssertEqual(try carboy.day(), evening)
        XCTAssertEqual(try carboy.stops(route: route)[0].customer.balance.minor, owed + 25_000)
        let records = try carboy.records(before: nil, limit: 100)
        XCTAssertTrue(records.allSatisfy { $0.state == .applied })
        XCTAssertEqual(records.filter(\.withdrawn).map(\.kind), ["collect_cash"])

        // What the server holds, seen by another rider's phone.
        let other = try await phone()
        let added = try other.customers(search: "BRIDGE", after: nil, limit: 10)
        XCTAssertEqual(added.map(\.balance.minor), [15_000])
    }

    private func wholeDay(_ carboy: Carboy, _ route: RouteId) throws -> DaySummary {
        let stops = try carboy.stops(route: route).map(\.customer.customer)
        _ = try carboy.startShift(route: route)
        _ = try carboy.loadStock(lines: [StockLine(product: ProductCode("20L"), full: 20, empty: 0)])
        _ = try carboy.noteProgress(customer: stops[0], progress: .arrived)
        let bottles = DeliveredLine(product: ProductCode("20L"), delivered: 3, empties: 2)
        _ = try carboy.confirmDelivery(customer: stops[0], lines: [bottles], proof: "slip 17", photos: [photo()])
        _ = try carboy.collectCash(customer: stops[0], amount: kes(20_000))
        let mistake = try carboy.collectCash(customer: stops[0], amount: kes(2_000))
        _ = try carboy.withdraw(id: mistake.id, reason: "typed twice")
        XCTAssertThrowsError(try carboy.withdraw(id: mistake.id, reason: nil)) {
            guard case CarboyError.NotPossible = $0 else { return XCTFail("\($0)") }
        }
        _ = try carboy.failDelivery(customer: stops[1], reason: .closed, note: "shutters down")
        _ = try carboy.noteProgress(customer: stops[2], progress: .skipped)
        let added = try carboy.addCustomer(fields: [.name: "Kiosk by the bridge"], route: route).customer
        let bottle = DeliveredLine(product: ProductCode("20L"), delivered: 1, empties: 0)
        let served = try carboy.confirmDelivery(customer: added.customer, lines: [bottle], proof: nil, photos: [])
        XCTAssertEqual(served.customer.balance, kes(15_000))
        _ = try carboy.handInCash(amount: kes(20_000), note: "receipt 5")
        _ = try carboy.returnStock(lines: [StockLine(product: ProductCode("20L"), full: 16, empty: 2)])
        let day = try carboy.finishShift().day
        let bottlesOfDay = DayProduct(
            product: ProductCode("20L"), loaded: 20, returned: 16, delivered: 4, empties: 2, onBoard: 0, emptiesOnBoard: 0)
        let expected = DaySummary(
            shift: day.shift, deliveries: 2, failures: 1, customers: 1, collected: kes(20_000),
            handedIn: kes(20_000), cashInHand: kes(0), products: [bottlesOfDay])
        XCTAssertEqual(day, expected)
        XCTAssertNotNil(day.shift?.finishedAt)
        return day
    }

    private func photo() throws -> String {
        let bytes = Data((0..<200_000).map { UInt8($0 % 251) })
        try bytes.write(to: URL(fileURLWithPath: path("shutters.jpg")))
        return path("shutters.jpg")
    }

    func testWhatTheServerDoesNotAcceptIsSentAgainCorrectedAndTheMoneyIsRight() async throws {
        let keys = Keys()
        let enrolment = try await enrolled(keys)
        let owed = try await recordTooMuch(enrolment, keys)
        // Somebody edits the phone's file: the hash chain tells on arrival.
        try edit(path("\(enrolment.account).db"), "1234567", "1234999")
        let carboy = try open(enrolment, keys)
        let report = try await carboy.syncNow()
        XCTAssertEqual(report.status.pending, 0)
        guard case .mutation(let refused)? = try carboy.attention(skip: 0, limit: 10).first else {
            return XCTFail("nothing needs attention")
        }
        XCTAssertEqual(refused.reason, "tampered")
        XCTAssertTrue(refused.choices.contains(.correct))
        _ = try carboy.resend(id: refused.id, correction: .amount(amount: kes(1_234)))
        XCTAssertEqual(try carboy.attention(skip: 0, limit: 10).count, 0)
        let corrected = try await carboy.syncNow()
        XCTAssertEqual(corrected.status.pending, 0)
        XCTAssertEqual(try carboy.attention(skip: 0, limit: 10).count, 0)
        let customer = try carboy.customer(customer: XCTUnwrap(refused.customer))
        XCTAssertEqual(customer.balance.minor, owed - 1_234)
        XCTAssertEqual(customer.unsettled.minor, 0)
    }

    private func edit(_ file: String, _ old: String, _ new: String) throws {
        // What is left of the log is in the file too, and would hide the edit.
        for log in ["-wal", "-shm"] { try? FileManager.default.removeItem(atPath: file + log) }
        var bytes = try Data(contentsOf: URL(fileURLWithPath: file))
        XCTAssertNotNil(bytes.range(of: Data(old.utf8)))
        while let place = bytes.range(of: Data(old.utf8)) {
            bytes.replaceSubrange(place, with: Data(new.utf8))
        }
        try bytes.write(to: URL(fileURLWithPath: file))
    }

    private func recordTooMuch(_ enrolment: Enrolment, _ keys: Keys) async throws -> Int64 {
        let carboy = try open(enrolment, keys)
        _ = try await carboy.syncNow()
        carboy.networkChanged(online: false)
        let customer = try anyCustomer(carboy)
        let owed = try carboy.customer(customer: customer).balance.minor
        _ = try carboy.collectCash(customer: customer, amount: kes(1_234_567))
        return owed
    }

    func testAnEditThatStandsBehindAnotherOneCanBeBroughtBack() async throws {
        let phones = [try await phone(), try await phone()]
        let customer = try anyCustomer(phones[0])
        for (phone, number) in zip(phones, ["0711", "0722"]) {
            _ = try phone.updateProfile(customer: customer, changes: [.phone: number])
        }
        try await exchange(phones)
        for phone in phones {
            guard case .edit(let lost)? = try phone.attention(skip: 0, limit: 10).first else { continue }
            XCTAssertEqual([lost.shown.value, lost.mine.value].sorted(), ["0711", "0722"])
            _ = try phone.settleEdit(customer: customer, field: lost.field, keep: .mine)
            try await exchange(phones)
            XCTAssertEqual(try phones.map { try $0.customer(customer: customer).phone }, [lost.mine.value, lost.mine.value])
            return
        }
        XCTFail("no edit stands behind another one")
    }

    private func exchange(_ phones: [Carboy]) async throws {
        for phone in phones + phones { _ = try await phone.syncNow() }
    }
}
