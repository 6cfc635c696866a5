import Carboy
import Quickstart
import XCTest

/// The code of docs/ios-quickstart.md, as it stands there.
final class QuickstartTests: ShellTests {
    func testTheQuickstartLeadsFromAnEmptyAppToADeliveryOnTheServer() async throws {
        let shell = launch()
        shell.shown()
        let receipt = try await deliver(shell, server: server.address, code: server.code())
        XCTAssertEqual(receipt.customer.unsettled.minor, 45_000)
        let rider = try XCTUnwrap(shell.rider)
        let report = try await rider.drainFor(.seconds(30))
        XCTAssertEqual(report.status.pending, 0)
        let customer = try await rider.ask { try $0.customer(customer: receipt.customer.customer) }
        XCTAssertEqual(customer.balance, receipt.customer.balance)
        XCTAssertEqual(customer.unsettled.minor, 0)
    }
}
