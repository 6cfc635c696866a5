// What only a simulator or a phone shows: that the screens are there, in every language of the test plan, and that
// VoiceOver, large type and contrast find nothing to complain about.

import XCTest

@MainActor
final class CarboyRiderUITests: XCTestCase {
    private let app = XCUIApplication()

    override func setUp() async throws { continueAfterFailure = false }

    func testAPhoneThatNobodySetUpAsksForTheCodeAndIsAccessible() throws {
        app.launch()
        XCTAssertTrue(app.buttons["enrolStart"].waitForExistence(timeout: 10))
        XCTAssertFalse(app.buttons["enrolStart"].isEnabled)
        try app.performAccessibilityAudit()
    }

    func testTheLargestTypeStillShowsTheWholeForm() throws {
        app.launchArguments += ["-UIPreferredContentSizeCategoryName", "UICTContentSizeCategoryAccessibilityXXXL"]
        app.launch()
        let start = app.buttons["enrolStart"]
        XCTAssertTrue(start.waitForExistence(timeout: 10))
        for _ in 0..<10 where !start.isHittable { app.swipeUp() }
        XCTAssertTrue(start.isHittable)
        try app.performAccessibilityAudit(for: [.dynamicType, .textClipped])
    }

    /// Needs a server and a fresh code: `CARBOY_ENROL_LINK` is what the dashboard's QR code holds.
    func testARiderSetsThePhoneUpAndSeesTheRoute() throws {
        let link = ProcessInfo.processInfo.environment["CARBOY_ENROL_LINK"] ?? ""
        guard let url = URL(string: link), url.scheme == "carboy" else {
            throw XCTSkip("CARBOY_ENROL_LINK holds no link: \(link)")
        }
        app.launch()
        XCTAssertTrue(app.buttons["enrolStart"].waitForExistence(timeout: 10))
        app.open(url)
        app.buttons["enrolStart"].tap()
        XCTAssertTrue(app.tabBars.firstMatch.waitForExistence(timeout: 30))
        XCTAssertTrue(app.cells.firstMatch.waitForExistence(timeout: 30))
        try app.performAccessibilityAudit()
    }
}
