// The shell: who is signed in, and what the core is told of the phone around it.

import Carboy
import Foundation
import Observation

/// What the phone's network is good for.
public struct Connection: Equatable, Sendable {
    /// Whether there is one.
    public let online: Bool
    /// Whether it may cost money: a mobile network or somebody's hot spot.
    public let expensive: Bool
    /// Whether the rider asked for little to be sent over it: Low Data Mode.
    public let constrained: Bool

    public init(online: Bool = false, expensive: Bool = false, constrained: Bool = false) {
        (self.online, self.expensive, self.constrained) = (online, expensive, constrained)
    }
}

/// Everything a signed-in phone needs around the core: its network, runs in the background, secrets, log, and who is
/// signed in. One per process, made before the app has finished launching.
@MainActor @Observable
public final class Shell {
    /// Who works with this phone.
    public private(set) var session = Session.loading {
        didSet { tell.yield(session) }
    }

    /// What the network is good for; offline until the system has said something.
    public private(set) var connection = Connection()

    /// Who works with this phone now, and from then on. For one reader.
    @ObservationIgnored public let sessions: AsyncStream<Session>

    @ObservationIgnored private let tell: AsyncStream<Session>.Continuation
    @ObservationIgnored private let system: System
    @ObservationIgnored private let secrets: Secrets
    @ObservationIgnored private let identities: IdentityFile
    @ObservationIgnored private let background: Background
    /// The last one that opens, enrols or signs out: never two at a time.
    @ObservationIgnored private var changing: Task<Void, Never>?

    public init(_ system: System) {
        (sessions, tell) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
        self.system = system
        secrets = Secrets(keychain: system.keychain)
        identities = IdentityFile(url: system.folder.appendingPathComponent("identity.json"))
        background = Background(system.scheduler, system.time, system.log)
        tell.yield(.loading)
        background.whoIsSignedIn = { [weak self] in await self?.whoever() }
        system.network.start { [weak self] path in
            let connection = Connection(
                online: path.isSatisfied, expensive: path.isExpensive, constrained: path.isConstrained)
            Task { @MainActor in self?.became(connection) }
        }
        change { shell in
            shell.takeLog()
            await shell.open()
        }
    }

    /// The rider who is signed in; nobody while it is not known or his store cannot be opened.
    public var rider: Rider? {
        if case .signedIn(let rider, _) = session { rider } else { nil }
    }

    /// Enrols this phone with the one-time code from the dashboard of `server`, keeps what it needs among the phone's
    /// secrets, and opens the rider's store. Cancelling does not stop it. A phone that is enrolled anew keeps what was
    /// recorded; another rider's store is closed, with what waits in it.
    ///
    /// Fails with `CarboyError` as `enrol` and `Rider.open` do.
    public func enrol(server: String, code: String) async throws {
        try await change { shell in
            let enrolment = try await Carboy.enrol(
                server: server, keys: shell.secrets, code: code, deviceName: shell.system.deviceName)
            let identity = Identity(enrolment, server: server)
            try Tokens(secrets: shell.secrets, account: identity.accountId).keep(enrolment.token)
            try FileManager.default.createDirectory(at: shell.system.folder, withIntermediateDirectories: true)
            // With this it has happened: a process that is killed before wakes up with nobody signed in.
            try shell.identities.write(identity)
            if case .signedIn(let rider, let before) = shell.session, before.accountId == identity.accountId,
                before.server == server
            {
                rider.signedIn()
                shell.session = .signedIn(rider, identity)
                return
            }
            shell.rider?.close()
            await shell.open()
            if case .broken(let error) = shell.session { throw error }
        }.value
    }

    /// Signs the rider out and forgets his token. Cancelling does not stop it.
    ///
    /// Fails with `CarboyError.PendingWork` if `choice` wants everything sent and it is not: nothing has changed then;
    /// with `CarboyError.SignedOut` if nobody is signed in.
    public func signOut(_ choice: SignOut) async throws -> SignedOut {
        try await change { shell in
            guard case .signedIn(let rider, let identity) = shell.session else {
                throw CarboyError.SignedOut(detail: "nobody is signed in")
            }
            let signedOut = try await rider.signOut(choice)
            defer { shell.session = .signedOut }
            shell.background.cancel()
            try shell.identities.delete()
            try Tokens(secrets: shell.secrets, account: identity.accountId).forget()
            return signedOut
        }.value
    }

    /// Opens the store again after ``Session/broken(_:)``; otherwise nothing happens.
    public func retry() {
        change { shell in
            if case .broken = shell.session { await shell.open() }
        }
    }

    /// The app came to the front.
    public func shown() {
        background.shown(rider)
        retry()
    }

    /// The app went to the back.
    public func hidden() { background.hidden(rider) }

    /// Lets go of everything. A process has no end on a phone: this is for tests.
    public func close() {
        system.network.cancel()
        rider?.close()
        tell.finish()
    }

    private func takeLog() {
        do {
            try setLogSink(sink: SystemLog(writer: system.log), level: .info)
        } catch {
            system.log.write("the core's log is somebody else's: \(error)", .error, category: "shell")
        }
    }

    private func became(_ connection: Connection) {
        self.connection = connection
        // Each path is worth a try, even where the last one was satisfied too.
        rider?.networkChanged(online: connection.online)
    }

    /// Who is signed in, once that is known.
    private func whoever() async -> Rider? {
        await changing?.value
        return rider
    }

    private func open() async {
        do {
            guard let identity = try identities.read() else {
                session = .signedOut
                return
            }
            let config = Config(
                folder: system.folder.appendingPathComponent("accounts").path, server: identity.server,
                plant: identity.plantId, account: identity.accountId, currency: identity.currency)
            let tokens = Tokens(secrets: secrets, account: identity.accountId)
            let rider = try await Rider.open(config, keys: secrets, tokens: tokens)
            rider.networkChanged(online: connection.online)
            session = .signedIn(rider, identity)
            background.opened(rider)
        } catch {
            session = .broken(error)
        }
    }

    /// Does `work` once what was begun before is done.
    @discardableResult
    private func change<Outcome: Sendable>(
        _ work: @escaping @MainActor (Shell) async throws -> Outcome
    ) -> Task<Outcome, any Error> {
        let before = changing
        let task = Task {
            await before?.value
            return try await work(self)
        }
        changing = Task { _ = await task.result }
        return task
    }
}
