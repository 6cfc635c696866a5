// Money on a screen and from a keypad, and sums that never overflow unseen.

import Foundation

/// Why amounts do not add up.
public enum MoneyError: LocalizedError, Equatable {
    /// They are of different currencies.
    case currenciesDiffer(String, String)
    /// The result does not fit 64 bits of minor units.
    case tooLarge

    public var errorDescription: String? {
        switch self {
        case .currenciesDiffer(let one, let other): "Amounts in \(one) and \(other) cannot be added."
        case .tooLarge: "The amount is too large."
        }
    }
}

extension Money {
    /// How many digits of the minor unit stand behind the decimal point: 2 for most, 0 for example for `UGX`, 3 for
    /// `TND`.
    public var decimals: Int { Self.decimals(of: currency) }

    /// The same for a currency's ISO 4217 code. The table is the core's: a platform's own may differ, and with it the
    /// amount.
    public static func decimals(of currency: String) -> Int {
        switch currency {
        case "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV", "XAF",
            "XOF", "XPF":
            0
        case "BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND": 3
        default: 2
        }
    }

    /// The amount in major units, for example 1234.5 for 123,450 cents.
    public var amount: Decimal {
        let digits = Decimal(minor.magnitude)
        let magnitude = Decimal(sign: .plus, exponent: -decimals, significand: digits)
        return minor < 0 ? -magnitude : magnitude
    }

    /// So many major units; nothing if that is no whole number of minor units, or more than fits.
    public init?(amount: Decimal, currency: String) {
        let minor = Decimal(sign: .plus, exponent: Self.decimals(of: currency), significand: amount)
        guard let minor = Int64("\(minor)") else { return nil }
        self.init(minor: minor, currency: currency)
    }

    /// The amount with its currency as people of `locale` write it, for example `Ksh 1,234.50`.
    public func formatted(locale: Locale = .autoupdatingCurrent) -> String {
        amount.formatted(.currency(code: currency).locale(locale).precision(.fractionLength(decimals)))
    }

    /// The amount that a person typed, with the separators and digits of `locale`; a full stop always counts as the
    /// decimal point where it does not separate thousands. Nothing for what is no amount of this currency: a sign, a
    /// group or a decimal too many, letters, nothing at all, or more than fits.
    ///
    /// ```swift
    /// guard let cash = Money(typed: "1,250", currency: "KES", locale: Locale(identifier: "en_KE")) else { return }
    /// _ = try await rider.record { try $0.collectCash(customer: customer, amount: cash) }
    /// ```
    public init?(typed text: String, currency: String, locale: Locale = .autoupdatingCurrent) {
        let plain = String(text.filter { !$0.isWhitespace && !$0.isFormat }.map { $0.canonical(locale) })
        guard plain.wholeMatch(of: Self.typed) != nil,
            let amount = Decimal(string: plain.replacingOccurrences(of: ",", with: ""), locale: Locale(identifier: "en"))
        else { return nil }
        self.init(amount: amount, currency: currency)
    }

    /// Groups of two or three digits (India writes 1,00,000), the last of three.
    private static var typed: Regex<Substring> {
        #/(?:[0-9]+|[0-9]{1,3}(?:,[0-9]{2,3})*,[0-9]{3})(?:\.[0-9]*)?|\.[0-9]+/#
    }

    /// The sum. Fails with ``MoneyError``.
    ///
    /// ```swift
    /// let day = try await rider.ask { try $0.day() }
    /// let missing = try day.collected - day.handedIn
    /// print(missing.formatted())
    /// ```
    public static func + (one: Money, other: Money) throws -> Money {
        try one.combined(other, Int64.addingReportingOverflow)
    }

    /// The difference. Fails with ``MoneyError``.
    public static func - (one: Money, other: Money) throws -> Money {
        try one.combined(other, Int64.subtractingReportingOverflow)
    }

    /// So many times the amount. Fails with ``MoneyError/tooLarge``.
    public static func * (one: Money, count: Int) throws -> Money {
        try one.with(one.minor.multipliedReportingOverflow(by: Int64(count)))
    }

    /// The amount with the other sign. Fails with ``MoneyError/tooLarge``.
    public static prefix func - (one: Money) throws -> Money {
        try one.with(Int64(0).subtractingReportingOverflow(one.minor))
    }

    private typealias Checked = (partialValue: Int64, overflow: Bool)

    private func combined(_ other: Money, _ sum: (Int64) -> (Int64) -> Checked) throws -> Money {
        guard currency == other.currency else { throw MoneyError.currenciesDiffer(currency, other.currency) }
        return try with(sum(minor)(other.minor))
    }

    private func with(_ checked: Checked) throws -> Money {
        guard !checked.overflow else { throw MoneyError.tooLarge }
        return Money(minor: checked.partialValue, currency: currency)
    }
}

extension Character {
    /// A mark that is not seen, for example one that turns the direction of writing.
    fileprivate var isFormat: Bool { unicodeScalars.allSatisfy { $0.properties.generalCategory == .format } }

    /// As it stands in English, and a space for what has no place in an amount.
    fileprivate func canonical(_ locale: Locale) -> Character {
        if unicodeScalars.first?.properties.generalCategory == .decimalNumber, let digit = wholeNumberValue {
            return Character("\(digit)")
        }
        return switch String(self) {
        case locale.groupingSeparator: ","
        case locale.decimalSeparator, ".": "."
        default: " "
        }
    }
}
