// A rider's phone: the app over the real core, in a folder that outlives the process.

import Carboy
import CarboyRider
import CarboyShell
import Foundation

/// The app, the rider who taps, and what the phone keeps.
@MainActor
public final class Phone {
    public let folder: URL
    public let texts: Texts
    public let app: AppModel
    public let shell: Shell
    private let network = TestNetwork()
    public let scheduler = TestScheduler()
    public let time = TestTime()
    private var running: [Task<Void, Never>] = []

    /// Starts the app with what is in `folder`, and brings it to the front.
    public init(_ folder: URL, _ texts: Texts = Texts(.english, locale: Locale(identifier: "en_KE"))) throws {
        (self.folder, self.texts) = (folder, texts)
        let keychain = TestKeychain(folder: folder.appendingPathComponent("keychain"))
        try FileManager.default.createDirectory(at: keychain.folder, withIntermediateDirectories: true)
        let system = System(
            folder: folder.appendingPathComponent("carboy"), deviceName: "test", network: network,
            scheduler: scheduler, time: time, keychain: keychain, log: TestLog())
        shell = Shell(system)
        app = AppModel(shell, texts, folder: folder)
        shell.shown()
        run { [app] in await app.run() }
    }

    deinit { for task in running { task.cancel() } }

    /// The app is gone, and its store closed.
    public func end() {
        for task in running { task.cancel() }
        running = []
        shell.close()
    }

    /// The phone's network comes or goes, and the shell has heard of it.
    public func network(online: Bool) async throws {
        network.set(online: online)
        try await until("the network to be \(online)") { [shell] in shell.connection.online == online }
    }

    /// The core of the signed-in rider.
    public func core() throws -> Rider {
        guard let rider = shell.rider else { throw TestFailure("nobody is signed in") }
        return rider
    }

    /// Runs a screen for as long as the phone is on.
    public func run(_ screen: @escaping @MainActor () async -> Void) { running.append(Task { await screen() }) }

    /// The screen that sets the phone up, once it is shown.
    public func enrolment() async throws -> EnrolModel {
        try await until("the screen that sets the phone up") { [app] in app.enrolment != nil }
        return app.enrolment!
    }

    /// The rider's screens, once they are shown, with the route and the day running.
    public func rider() async throws -> RiderModel {
        try await until("a signed-in rider") { [app] in app.rider != nil }
        let rider = app.rider!
        run { await rider.route.run() }
        run { await rider.day.run() }
        run { await rider.attention.run() }
        run { await rider.records.run() }
        run { await rider.waiting.run() }
        return rider
    }

    /// Sets the phone up with a link as the dashboard shows it.
    public func enrolled(_ link: String) async throws -> RiderModel {
        let enrolment = try await enrolment()
        enrolment.take(link)
        await enrolment.start()
        if let problem = enrolment.problem { throw TestFailure(problem) }
        let rider = try await rider()
        try await until("a route") { !rider.route.stops.isEmpty }
        return rider
    }

    /// The screen of a stop, once it is filled.
    public func stop(_ rider: RiderModel, _ number: Int) async throws -> StopModel {
        let stop = rider.stop(rider.route.stops[number].id)
        run { await stop.run() }
        try await until("the stop") { stop.customer != nil && !stop.bottles.counts.isEmpty }
        return stop
    }

    /// The screen of a customer, once it is filled.
    public func customer(_ rider: RiderModel, _ number: Int) async throws -> CustomerModel {
        let customer = rider.customer(rider.route.stops[number].id)
        run { await customer.run() }
        try await until("the customer") { customer.customer != nil }
        return customer
    }
}

extension AppModel {
    public var enrolment: EnrolModel? { if case .enrol(let enrol) = stage { enrol } else { nil } }

    public var rider: RiderModel? { if case .rider(let rider) = stage { rider } else { nil } }
}
