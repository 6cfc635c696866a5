import Carboy
import CarboyRider
import Foundation
import TestSupport
import Testing

/// The process is killed with SIGKILL in every step, and started again on what it left.
@MainActor @Suite(.timeLimit(.minutes(2)))
final class KillTests: World {
    @Test func aDayWhoseProcessIsKilledInEveryStepCountsOnce() async throws {
        try await enrolBetweenKills()
        for step in Step.allCases {
            // In the middle of it, and as soon as it is done.
            try kill(step.rawValue, after: "doing")
            try kill(step.rawValue, after: "done")
        }
        let phone = try phone("rider")
        let rider = try await phone.rider()
        await rider.status.send()
        try await until("everything to be sent") { rider.status.mark == .settled }
        let kinds = try await phone.core().ask { try $0.records(before: nil, limit: 100) }.map(\.kind).sorted()
        #expect(kinds == Step.allCases.map(\.kind).sorted())

        let (other, others) = try await other()
        let ledger = try await ledger(other, others.route.stops[0].id)
        #expect(ledger.suffix(2) == [45_000, -20_000])
        let customer = try await other.customer(others, 2)
        #expect(customer.customer?.phone == Step.number)
    }

    /// A code works once: whoever was killed before the answer was kept needs another one.
    private func enrolBetweenKills() async throws {
        try kill("enrol", after: "doing", server.link(server.code(), over: server.address))
        try kill("enrol", after: "done", server.link(server.code(), over: server.address))
    }

    private func kill(_ step: String, after line: String, _ link: String? = nil) throws {
        let process = Process()
        process.executableURL = Self.products.appendingPathComponent("RiderProcess")
        process.arguments = [folder.appendingPathComponent("rider").path, step] + (link.map { [$0] } ?? [])
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        defer {
            Foundation.kill(process.processIdentifier, SIGKILL)
            process.waitUntilExit()
        }
        var said = ""
        while said != line { said = try TestServer.firstLine(pipe.fileHandleForReading) }
    }

    /// The folder of what was built, in which the tests are too.
    private static var products: URL { Bundle.main.executableURL!.deletingLastPathComponent() }
}
