// The languages that the app speaks, and how each counts.

import Foundation

/// A language of the string catalogue.
public enum Language: String, CaseIterable, Sendable {
    case english = "en"
    case french = "fr"
    case swahili = "sw"
    case hindi = "hi"
    case arabic = "ar"

    /// The first of these that the person has asked the system for; English for want of one.
    public static var preferred: Language {
        let wanted = Locale.preferredLanguages
        let codes = Bundle.preferredLocalizations(from: allCases.map(\.rawValue), forPreferences: wanted)
        return codes.lazy.compactMap(Language.init).first ?? .english
    }

    /// Whether it is read from right to left.
    public var isRightToLeft: Bool { self == .arabic }

    /// The form in which things are counted, by CLDR's rules for whole numbers.
    func plural(_ count: Int64) -> Plural {
        let count = count.magnitude
        switch self {
        case .english, .swahili:
            return count == 1 ? .one : .other
        case .hindi:
            return count <= 1 ? .one : .other
        case .french:
            if count <= 1 { return .one }
            return count % 1_000_000 == 0 ? .many : .other
        case .arabic:
            switch (count, count % 100) {
            case (0, _): return .zero
            case (1, _): return .one
            case (2, _): return .two
            case (_, 3...10): return .few
            case (_, 11...99): return .many
            default: return .other
            }
        }
    }

    /// The forms that it has.
    var plurals: Set<Plural> {
        switch self {
        case .english, .swahili, .hindi: [.one, .other]
        case .french: [.one, .many, .other]
        case .arabic: Set(Plural.allCases)
        }
    }
}

/// CLDR's names for the forms in which languages count.
enum Plural: String, CaseIterable, Sendable {
    case zero, one, two, few, many, other
}
