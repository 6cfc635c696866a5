import Carboy
import CarboyRider
import Foundation
import TestSupport
import Testing

/// What single screens do beyond a shift.
@MainActor @Suite(.timeLimit(.minutes(2)))
final class ScreenTests: World {
    @Test func aSecondTapWhileTheFirstIsUnderWayRecordsNothing() async throws {
        let (phone, rider) = try await enrolled("rider")
        let stop = try await phone.stop(rider, 0)
        stop.bottles.addFull(stop.bottles.counts[0].id, 2)
        async let first: Void = stop.confirm()
        async let second: Void = stop.confirm()
        _ = await (first, second)
        #expect(stop.notice != nil)
        #expect(!stop.canConfirm)
        await stop.confirm()
        let records = try await phone.core().ask { try $0.records(before: nil, limit: 10) }
        #expect(records.map(\.kind) == ["confirm_delivery"])
    }

    @Test func aStopSaysWhatIsWrongAndRecordsNothing() async throws {
        let (phone, rider) = try await enrolled("rider")
        let stop = try await phone.stop(rider, 0)
        for typed in ["", "-5", "1.234", "five"] {
            stop.cash = typed
            await stop.collect()
            #expect(stop.problem == phone.texts(.errorAmount), "\(typed)")
        }
        let product = stop.bottles.counts[0].id
        stop.bottles.addFull(product, -1)
        #expect(!stop.canConfirm)
        stop.bottles.addFull(product, 1)
        stop.addPhoto("/nowhere/photo.jpg")
        #expect(stop.photoCount == "1 photo")
        await stop.confirm()
        #expect(stop.problem == phone.texts(.errorPhoto))
        #expect(rider.status.mark == .settled)
        stop.removePhotos()
        await stop.confirm()
        #expect(stop.problem == nil)
    }

    @Test func progressIsNotedAndSkippedStopsAreDoneWith() async throws {
        let (phone, rider) = try await enrolled("rider")
        let first = rider.route.stops[0].id
        #expect(rider.route.next?.id == first)
        let stop = try await phone.stop(rider, 0)
        await stop.note(.arrived)
        try await until("there") { rider.route.stops[0].state == phone.texts(.stopArrived) }
        #expect(rider.route.next?.id == first)
        await stop.note(.skipped)
        try await until("skipped") { rider.route.stops[0].isDone }
        #expect(rider.route.next?.id == rider.route.stops[1].id)
        #expect(rider.route.stops[0].label.contains(phone.texts(.stopSkipped)))
    }

    @Test func aCustomerIsFoundByNameAndANewOneIsTheLastStop() async throws {
        let (phone, rider) = try await enrolled("rider")
        let new = rider.newCustomer()
        await new.add()
        #expect(new.problem == phone.texts(.nameNeeded))
        new.fields = [.name: "  Kiosk by the bridge ", .phone: "0700 1", .note: " "]
        await new.add()
        let added = try #require(new.added)
        try await until("a seventh stop") { rider.route.stops.count == 7 && rider.route.stops.last?.id == added }

        let customers = rider.customers
        customers.search = "bridge"
        phone.run { await customers.run() }
        try await until("one customer") { customers.customers.map(\.name) == ["Kiosk by the bridge"] }
        let nobody = CustomersModel(try phone.core(), phone.texts)
        nobody.search = "zebra"
        #expect(!nobody.isEmpty)
        phone.run { await nobody.run() }
        try await until("nobody") { nobody.isEmpty }
    }

    @Test func anEditRecordsWhatChangedAndNothingElse() async throws {
        let (phone, rider) = try await enrolled("rider")
        let customer = try await phone.customer(rider, 0)
        customer.edit()
        await customer.save()
        #expect(!customer.isEditing)
        #expect(customer.notice == nil)
        customer.edit()
        customer.fields[.name] = "  "
        await customer.save()
        #expect(customer.problem == phone.texts(.nameNeeded))
        customer.fields[.name] = customer.name
        customer.fields[.phone] = "+254 700-1"
        await customer.save()
        #expect(customer.problem == nil)
        #expect(customer.dial?.absoluteString == "tel:+2547001")
        let record = try await phone.core().ask { try $0.records(before: nil, limit: 10) }
        #expect(record.count == 1)
    }

    @Test func aRecordIsTakenBackAndStaysToBeSeen() async throws {
        let (phone, rider) = try await enrolled("rider")
        try await Step.startShift.perform(phone, rider)
        try await Step.deliver.perform(phone, rider)
        try await Step.collectCash.perform(phone, rider)
        try await until("the cash") { rider.records.rows.first?.title.hasPrefix(phone.texts(.kindCollectCash)) == true }
        let cash = rider.records.rows[0]
        #expect(cash.canTakeBack)
        await rider.records.takeBack(cash.id)
        try await until("taken back") {
            rider.records.rows.first { $0.id == cash.id }?.detail.hasSuffix(phone.texts(.takenBack)) == true
        }
        #expect(rider.records.rows.first { $0.id == cash.id }?.canTakeBack == false)
        await rider.records.takeBack(cash.id)
        #expect(rider.records.problem == phone.texts(.errorNotPossible))
    }

    @Test func theRiderChoosesAmongRoutesAndWorksInHisLanguage() async throws {
        let texts = Texts(.french, locale: Locale(identifier: "fr_CI"))
        let french = try Phone(folder.appendingPathComponent("french"), texts)
        let rider = try await french.enrolled(server.link(server.code(), over: link.address))
        #expect(rider.route.left == "Encore 6 arrêts")
        #expect(rider.route.routes.count == 1)
        let route = try #require(rider.route.routes.first)
        rider.route.chosen = route.route
        french.run { await rider.route.run() }
        try await until("the route") { rider.route.route?.route == route.route }
        #expect(rider.day.shift == "Aucun service commencé")
        french.end()
    }
}

/// What was not accepted, and leaving.
@MainActor @Suite(.timeLimit(.minutes(2)))
final class AttentionTests: World {
    @Test func cashThatWasChangedInTheFileIsCorrectedAndTheMoneyIsRight() async throws {
        let (off, first) = try await enrolled("rider")
        let before = try await balances(off, first)
        try await off.network(online: false)
        let stop = try await off.stop(first, 0)
        stop.cash = "12345.67"
        await stop.collect()
        #expect(stop.problem == nil)
        off.end()
        try await tamper("1234567", "1234999")

        let phone = try phone("rider")
        let rider = try await phone.rider()
        await rider.status.send()
        try await until("an item") { rider.attention.items.count == 1 }
        let item = rider.attention.items[0]
        #expect(item.lines.last == phone.texts(.reasonTampered))
        #expect(item.actions.contains(.correct))
        await rider.attention.act(.correct, on: item)
        let correction = try #require(rider.attention.correction)
        #expect(correction.form == .amount)
        correction.cash = "nothing"
        await correction.send()
        #expect(correction.problem == phone.texts(.errorAmount))
        correction.cash = "12.34"
        await correction.send()
        #expect(correction.isDone)
        await rider.status.send()
        try await until("nothing to need the rider") { rider.attention.items.isEmpty && rider.status.mark == .settled }
        let (other, others) = try await other()
        #expect(try await balances(other, others)[0] == before[0] - 1_234)
    }

    @Test func whatWasChangedInTheFileIsCorrectedInTheFormOfItsKind() async throws {
        let (off, first) = try await enrolled("rider")
        let before = try await balances(off, first)
        try await off.network(online: false)
        let stop = try await off.stop(first, 0)
        stop.bottles.addFull(Step.product, 4_321)
        await stop.confirm()
        for step in [Step.fail, .edit] { try await step.perform(off, first) }
        off.end()
        try await tamper("\"delivered\":4321", "\"delivered\":4322")
        try await tamper("absent", "closed")
        try await tamper(Step.number, "0733 123457")

        let phone = try phone("rider")
        let rider = try await phone.rider()
        await rider.status.send()
        try await until("three items") { rider.attention.items.count == 3 }
        var forms: [CorrectionModel.Form?] = []
        for item in rider.attention.items {
            await rider.attention.act(.correct, on: item)
            let correction = try #require(rider.attention.correction)
            await correction.load()
            forms.append(correction.form)
            fill(correction)
            await correction.send()
            #expect(correction.problem == nil)
            #expect(correction.isDone)
        }
        #expect(forms == [.bottles, .failure, .fields])
        await rider.status.send()
        try await until("nothing to need the rider") { rider.attention.items.isEmpty && rider.status.mark == .settled }
        let (other, others) = try await other()
        #expect(try await balances(other, others)[0] == before[0] + 3 * 15_000)
        #expect(try await other.customer(others, 2).customer?.phone == Step.number)
    }

    /// The rider finds what the file says now, and puts it right.
    private func fill(_ correction: CorrectionModel) {
        switch correction.form {
        case .bottles:
            let count = correction.bottles.counts.first { $0.id == Step.product }
            #expect(count?.full == 4_322)
            correction.bottles.addFull(Step.product, 3 - 4_322)
        case .failure:
            #expect(correction.failure == .closed)
            correction.failure = .absent
        case .fields:
            #expect(correction.fields == [.phone: "0733 123457"])
            correction.fields[.phone] = Step.number
        default: Issue.record("\(correction.title)")
        }
    }

    private func tamper(_ old: String, _ new: String) async throws {
        let riders = folder.appendingPathComponent("rider/carboy/accounts")
        try await StoreFiles(folder: riders).closed()
        let files = try FileManager.default.contentsOfDirectory(at: riders, includingPropertiesForKeys: nil)
        // What is left of the log is in the file too, and would hide the edit.
        for log in files where log.path.hasSuffix("-wal") || log.path.hasSuffix("-shm") {
            try FileManager.default.removeItem(at: log)
        }
        let file = try #require(files.first { $0.pathExtension == "db" })
        var bytes = try Data(contentsOf: file)
        #expect(bytes.range(of: Data(old.utf8)) != nil)
        while let place = bytes.range(of: Data(old.utf8)) { bytes.replaceSubrange(place, with: Data(new.utf8)) }
        try bytes.write(to: file)
    }

    @Test func signingOutWithWorkToSendAsksAndDoesWhatTheRiderChooses() async throws {
        let (phone, rider) = try await enrolled("rider")
        link.set(.down)
        try await phone.network(online: false)
        try await Step.startShift.perform(phone, rider)
        await rider.settings.signOut()
        #expect(rider.settings.unsent == "1 record is not sent")
        #expect(rider.settings.problem == nil)
        rider.settings.stay()
        #expect(rider.settings.unsent == nil)
        await rider.settings.signOut(.keepSealed)
        try await until("nobody to be signed in") { phone.app.enrolment != nil }
        link.set(.up)
        try await phone.network(online: true)
        let again = try await phone.enrolled(server.link(server.code(), over: link.address))
        #expect(again.settings.name != rider.settings.name)
        await again.settings.signOut()
        try await until("nobody to be signed in") { phone.app.enrolment != nil }
    }

    @Test func everyKindOfExportIsAFileThatCanBeShared() async throws {
        let (phone, rider) = try await enrolled("rider")
        await rider.settings.writeSupportFile()
        let file = try #require(rider.settings.file)
        #expect(try Data(contentsOf: file).count > 100)
        try await phone.network(online: false)
        try await Step.startShift.perform(phone, rider)
        await rider.settings.signOut(.export)
        try await until("nobody to be signed in") { phone.app.enrolment != nil }
        let unsent = try String(contentsOf: phone.folder.appendingPathComponent("carboy-unsent.jsonl"), encoding: .utf8)
        #expect(unsent.contains("start_shift"))
    }
}

struct EnrolLinkTests {
    @Test func theDashboardsLinkIsReadWhateverItsCase() {
        let link = "carboy://enrol?server=https%3A%2F%2Fplant.example%3A8443%2F&code=7Q4K-2MXD"
        for text in [link, "  \(link)\n", link.replacingOccurrences(of: "carboy://enrol", with: "CARBOY://Enrol")] {
            #expect(EnrolLink(text)?.server == "https://plant.example:8443")
            #expect(EnrolLink(text)?.code == "7Q4K-2MXD")
        }
    }

    @Test(arguments: [
        "", "carboy:enrol", "https://enrol?server=https://a.example&code=1",
        "carboy://other?server=https://a.example&code=1",
        "carboy://enrol?server=https://a.example", "carboy://enrol?server=https://a.example&code=%20",
        "carboy://enrol?server=ftp://a.example&code=1", "carboy://enrol?server=nothing&code=1",
        "carboy://enrol?server=https://a.example&code=" + String(repeating: "1", count: 2_000),
    ])
    func whatElseIsScannedIsNone(_ text: String) { #expect(EnrolLink(text) == nil) }
}
