// Phrases, numbers, money and times in the rider's language.

import Carboy
import Foundation

/// Writes what the app says in one language, for example `texts(.routeLeft, 3)`.
public struct Texts: Sendable {
    /// In which language.
    public let language: Language
    /// How numbers, money and times are written.
    public let locale: Locale

    public init(_ language: Language = .preferred, locale: Locale? = nil) {
        self.language = language
        let current = Locale.autoupdatingCurrent
        let speaksIt = current.language.languageCode?.identifier == language.rawValue
        self.locale = locale ?? (speaksIt ? current : Locale(identifier: language.rawValue))
    }

    /// The phrase with `arguments` in its places. It counts by the first number among them.
    public func callAsFunction(_ phrase: Phrase, _ arguments: any Argument...) -> String {
        let count = arguments.lazy.compactMap(\.count).first
        let localization = Catalogue.app.strings[phrase.rawValue]?.localizations[language.rawValue]
        guard let text = localization?.text(count.map(language.plural) ?? .other) else {
            assertionFailure("\(phrase) has no text in \(language)")
            return phrase.rawValue
        }
        return filled(text, arguments)
    }

    /// Several things in one line, for example for VoiceOver. Empty ones are left out.
    public func joined(_ parts: [String]) -> String {
        parts.filter { !$0.isEmpty }.joined(separator: self(.separator))
    }

    /// A number as people write it.
    public func number(_ number: Int64) -> String { number.formatted(.number.locale(locale)) }

    /// An amount with its currency.
    public func money(_ money: Money) -> String { money.formatted(locale: locale) }

    /// An amount as it is typed: without its currency, and such that it reads back as the same.
    func typed(_ money: Money) -> String {
        money.amount.formatted(.number.locale(locale).grouping(.never).precision(.fractionLength(money.decimals)))
    }

    /// A time of today; the date too if it is of another day.
    public func moment(_ date: Date, now: Date = Date(), zone: TimeZone = .autoupdatingCurrent) -> String {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = zone
        let isToday = calendar.isDate(date, inSameDayAs: now)
        let style = Date.FormatStyle(
            date: isToday ? .omitted : .abbreviated, time: .shortened, locale: locale, timeZone: zone)
        return date.formatted(style)
    }

    /// What a customer owes, in words.
    public func balance(_ balance: Money) -> String {
        if balance.minor == 0 { return self(.owesNothing) }
        guard balance.minor < 0 else { return self(.owes, money(balance)) }
        let credit = balance.minor == .min ? .max : -balance.minor
        return self(.hasCredit, money(Money(minor: credit, currency: balance.currency)))
    }

    private func filled(_ text: String, _ arguments: [any Argument]) -> String {
        var next = 0
        return text.replacing(Self.places) { match in
            defer { next += 1 }
            let place = match.output.1.flatMap { Int($0) }.map { $0 - 1 } ?? next
            guard arguments.indices.contains(place) else {
                assertionFailure("“\(text)” wants more than \(arguments.count) arguments")
                return ""
            }
            return arguments[place].written(texts: self)
        }
    }

    /// Places for a text and for a whole number, by number or one after another: `%@`, `%lld`, `%2$@`.
    static var places: Regex<(Substring, Substring?)> { #/%(?:([0-9]+)\$)?(?:@|lld)/# }
}

/// What may stand in a phrase's places: text, and whole numbers.
public protocol Argument: Sendable {
    /// The number that decides in which form the phrase counts.
    var count: Int64? { get }

    /// How it is written.
    func written(texts: Texts) -> String
}

extension String: Argument {
    public var count: Int64? { nil }

    /// Kept apart from what stands around it where the two may be written in opposite directions: a number or a Latin
    /// name in Arabic would be torn otherwise.
    public func written(texts: Texts) -> String {
        let mayTurn = texts.language.isRightToLeft || unicodeScalars.contains(where: \.isRightToLeft)
        return mayTurn ? "\u{2068}\(self)\u{2069}" : self
    }
}

extension Int64: Argument {
    public var count: Int64? { self }

    public func written(texts: Texts) -> String { texts.number(self) }
}

extension UInt64: Argument {
    public var count: Int64? { Int64(clamping: self) }

    public func written(texts: Texts) -> String { texts.number(Int64(clamping: self)) }
}

extension Int: Argument {
    public var count: Int64? { Int64(self) }

    public func written(texts: Texts) -> String { texts.number(Int64(self)) }
}

extension Unicode.Scalar {
    /// Whether it belongs to a script that is read from right to left: the blocks from Hebrew to Arabic Extended-A, and
    /// their presentation forms.
    fileprivate var isRightToLeft: Bool {
        (0x0590...0x08FF).contains(value) || (0xFB1D...0xFDFF).contains(value) || (0xFE70...0xFEFF).contains(value)
    }
}
