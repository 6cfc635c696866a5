import Carboy
import Foundation
import XCTest

/// Money as people of each language write and type it.
final class MoneyTests: XCTestCase {
    private func typed(_ text: String, _ currency: String = "KES", _ locale: String = "en") -> Int64? {
        Money(typed: text, currency: currency, locale: Locale(identifier: locale))?.minor
    }

    /// Without the marks and kinds of space that differ from one platform's data to another's.
    private func plain(_ money: Money, _ locale: String) -> String {
        let text = money.formatted(locale: Locale(identifier: locale))
        return String(text.unicodeScalars.compactMap { scalar -> Character? in
            if scalar.properties.generalCategory == .format { return nil }
            return scalar.properties.isWhitespace ? " " : Character(scalar)
        })
    }

    func testAnAmountIsWrittenAsTheLanguageWritesIt() {
        XCTAssertEqual(plain(kes(123_450), "en_KE"), "Ksh 1,234.50")
        XCTAssertEqual(plain(kes(-123_450), "en_KE"), "-Ksh 1,234.50")
        XCTAssertEqual(plain(Money(minor: 1_234, currency: "UGX"), "en_UG"), "USh 1,234")
        XCTAssertEqual(plain(Money(minor: 12_345_678, currency: "INR"), "hi_IN"), "₹1,23,456.78")
        XCTAssertEqual(plain(Money(minor: 1_234, currency: "TND"), "en"), "TND 1.234")
        XCTAssertEqual(plain(Money(minor: 1_234, currency: "XOF"), "fr_CI"), "1 234 F CFA")
        XCTAssertEqual(plain(Money(minor: Int64.max, currency: "KES"), "en_KE"), "Ksh 92,233,720,368,547,758.07")
        XCTAssertEqual(plain(Money(minor: Int64.min, currency: "KES"), "en_KE"), "-Ksh 92,233,720,368,547,758.08")
        XCTAssertTrue(plain(Money(minor: 100, currency: "ZZZ"), "en").contains("ZZZ"))
    }

    func testWhatAPersonTypesIsReadWithTheSeparatorsAndDigitsOfTheLanguage() {
        XCTAssertEqual(typed("1,234.5"), 123_450)
        XCTAssertEqual(typed("1234"), 123_400)
        XCTAssertEqual(typed(" .5 "), 50)
        XCTAssertEqual(typed("5."), 500)
        XCTAssertEqual(typed("1.234,50", "KES", "de"), 123_450)
        XCTAssertEqual(typed("1234.5", "KES", "de"), nil, "a full stop separates thousands there")
        XCTAssertEqual(typed("1234,50", "KES", "de"), 123_450)
        XCTAssertEqual(typed("1 234,50", "XAF", "fr"), nil)
        XCTAssertEqual(typed("1\u{202f}234", "XAF", "fr"), 1_234)
        XCTAssertEqual(typed("١٢٣٤٫٥", "KES", "ar_EG"), 123_450)
        XCTAssertEqual(typed("१,२३,४५६", "INR", "hi_IN"), 12_345_600)
        XCTAssertEqual(typed("1.234", "TND"), 1_234)
        XCTAssertEqual(typed("0"), 0)
        XCTAssertEqual(typed("92233720368547758.07"), Int64.max)
    }

    func testWhatIsNoAmountIsNone() {
        let texts = ["", " ", ".", ",", "-5", "+5", "1e3", "12,34", "1,2345", "1.234", "1.2.3", "five", "½", "五", "5 KES",
            "92233720368547758.08", "99999999999999999999999"]
        for text in texts { XCTAssertNil(typed(text), text) }
    }

    func testSumsFailWhereTheyWouldOverflowOrMixCurrencies() throws {
        XCTAssertEqual(try kes(100) + kes(20), kes(120))
        XCTAssertEqual(try kes(100) - kes(120), kes(-20))
        XCTAssertEqual(try kes(150) * 3, kes(450))
        XCTAssertEqual(try -kes(150), kes(-150))
        for sum in [{ try kes(.max) + kes(1) }, { try kes(.min) - kes(1) }, { try kes(.max) * 2 }, { try -kes(.min) }] {
            XCTAssertThrowsError(try sum()) { XCTAssertEqual($0 as? MoneyError, .tooLarge) }
        }
        XCTAssertThrowsError(try kes(1) + Money(minor: 1, currency: "UGX")) {
            XCTAssertEqual($0 as? MoneyError, .currenciesDiffer("KES", "UGX"))
            XCTAssertEqual($0.localizedDescription, "Amounts in KES and UGX cannot be added.")
        }
    }

    func testADecimalGoesThereAndBack() {
        for minor in [0, 1, -1, 123_450, Int64.max, Int64.min] {
            XCTAssertEqual(Money(amount: kes(minor).amount, currency: "KES"), kes(minor))
        }
        XCTAssertEqual(kes(-123_450).amount, Decimal(string: "-1234.5"))
        XCTAssertNil(Money(amount: Decimal(string: "0.001")!, currency: "KES"))
    }

    func testAnErrorSpeaksToAPersonAndTellsTheLogWhy() {
        let error: any Error = CarboyError.UnknownCustomer(detail: "unknown customer 7")
        XCTAssertEqual(error.localizedDescription, "This customer is not on this phone.")
        XCTAssertEqual((error as? CarboyError)?.failureReason, "unknown customer 7")
    }
}
