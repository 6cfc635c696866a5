import Carboy
import CarboyRider
import TestSupport
import Testing

/// The link drops in every step.
@MainActor @Suite(.timeLimit(.minutes(2)))
final class LinkTests: World {
    @Test func everyStepWhoseReplyIsLostCountsOnce() async throws {
        let (phone, rider) = try await enrolled("rider")
        let before = try await balances(phone, rider)
        for step in Step.allCases {
            link.set(.losesReplies)
            let lost = link.lostReplies
            try await step.perform(phone, rider)
            await rider.status.send()
            #expect(link.lostReplies > lost, "\(step)")
            try await until("one tick") { rider.status.mark == .saved }
            link.set(.down)
            await rider.status.send()
            try await until("the link to be found down") { rider.status.exchange == phone.texts(.stateLink) }
            if step == .collectCash || step == .finishShift {
                link.set(.up)
                await rider.status.send()
                try await until("two ticks") { rider.status.mark == .settled }
            }
        }
        try await expectTheDayOnce(before)
    }

    @Test func everyStepWithoutALinkIsSavedAndSentOnceThereIsOne() async throws {
        let (phone, rider) = try await enrolled("rider")
        let before = try await balances(phone, rider)
        link.set(.down)
        try await phone.network(online: false)
        for (index, step) in Step.allCases.enumerated() {
            try await step.perform(phone, rider)
            try await until("one record more") { rider.status.pending == index + 1 }
        }
        link.set(.up)
        try await phone.network(online: true)
        await rider.status.send()
        try await until("two ticks") { rider.status.mark == .settled }
        try await expectTheDayOnce(before)
    }

    /// What all steps together come to, on the server.
    private func expectTheDayOnce(_ before: [Int64]) async throws {
        let (phone, rider) = try await other()
        var expected = before
        expected[0] += Step.owedMore
        let held = try await balances(phone, rider)
        #expect(held == expected)
        let ledger = try await ledger(phone, rider.route.stops[0].id)
        #expect(ledger.suffix(2) == [45_000, -20_000])
    }
}
