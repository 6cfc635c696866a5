import Foundation
import Testing

@testable import Carboy
@testable import CarboyRider

/// What the app says: every phrase in every language, with the forms in which each counts.
@Suite(.timeLimit(.minutes(2)))
struct TextTests {
    @Test func everyPhraseHasATextAndTheCatalogueHasNoOther() {
        #expect(Set(Catalogue.app.strings.keys) == Set(Phrase.allCases.map(\.rawValue)))
        #expect(Catalogue.app.sourceLanguage == Language.english.rawValue)
    }

    @Test(arguments: Language.allCases)
    func everyPhraseIsThereWithTheFormsAndPlacesOfEnglish(_ language: Language) throws {
        for phrase in Phrase.allCases {
            let entry = try #require(Catalogue.app.strings[phrase.rawValue])
            let english = try #require(entry.localizations["en"])
            let here = try #require(entry.localizations[language.rawValue], "\(phrase) in \(language)")
            #expect((here.variations == nil) == (english.variations == nil), "\(phrase) in \(language)")
            let places = Self.places(english.text(.other))
            for (form, text) in Self.forms(here) {
                #expect(!text.trimmed.isEmpty || phrase == .separator, "\(phrase) in \(language)")
                // Languages with words for none, one and two leave the number out.
                let mayLeaveOut = [.zero, .one, .two].contains(form)
                let isRight = Self.places(text) == places || mayLeaveOut && Self.places(text).isSubset(of: places)
                #expect(isRight, "\(phrase) in \(language): \(text)")
            }
            if let forms = here.variations?.plural {
                #expect(Set(forms.keys) == Set(language.plurals.map(\.rawValue)), "\(phrase) in \(language)")
            }
        }
    }

    @Test(arguments: [Language.hindi: 0x0900...0x097F, .arabic: 0x0600...0x06FF])
    func nothingIsLeftInEnglishWhereAnotherScriptIsWritten(_ language: Language, _ script: ClosedRange<Int>) throws {
        let signs: Set<Phrase> = [.separator, .labelled]
        for phrase in Phrase.allCases where !signs.contains(phrase) {
            let localization = try #require(Catalogue.app.strings[phrase.rawValue]?.localizations[language.rawValue])
            for (_, text) in Self.forms(localization) {
                #expect(text.unicodeScalars.contains { script.contains(Int($0.value)) }, "\(phrase): \(text)")
            }
        }
    }

    @Test func aLatinScriptIsNotEnglishEither() throws {
        // Words that are the same, and what has no words.
        let same: Set<Phrase> = [
            .separator, .labelled, .enrolCode, .tabAttention, .photos, .fieldNote,
        ]
        for phrase in Phrase.allCases where !same.contains(phrase) {
            let entry = try #require(Catalogue.app.strings[phrase.rawValue])
            let texts = [Language.english, .french, .swahili].map { entry.localizations[$0.rawValue]?.text(.other) }
            #expect(texts[0] != texts[1] && texts[0] != texts[2], "\(phrase)")
        }
    }

    /// CLDR's samples for whole numbers, form by form.
    private static let samples: [Language: [Plural: [Int64]]] = [
        .english: [.one: [1], .other: [0, 2, 16, 100, 1_000, 1_000_000]],
        .swahili: [.one: [1], .other: [0, 2, 16, 100, 1_000, 1_000_000]],
        .hindi: [.one: [0, 1], .other: [2, 17, 100, 1_000, 1_000_000]],
        .french: [.one: [0, 1], .many: [1_000_000, 2_000_000], .other: [2, 17, 100, 1_000, 100_000, 1_000_001]],
        .arabic: [
            .zero: [0], .one: [1], .two: [2], .few: [3, 10, 103, 110, 1_003], .many: [11, 26, 99, 111, 1_011],
            .other: [100, 102, 200, 202, 300, 1_000, 10_000, 1_000_000],
        ],
    ]

    @Test(arguments: Language.allCases)
    func countsTakeTheFormThatTheUnicodeConsortiumGives(_ language: Language) throws {
        let samples = try #require(Self.samples[language])
        #expect(Set(samples.keys) == language.plurals)
        for (form, counts) in samples {
            for count in counts { #expect(language.plural(count) == form, "\(count) in \(language)") }
        }
    }

    @Test func aCountChoosesTheFormAndIsWrittenAsTheLanguageWritesNumbers() {
        #expect(Self.texts("en_KE")(.routeLeft, 1) == "1 stop to go")
        #expect(Self.texts("en_KE")(.routeLeft, 1_200) == "1,200 stops to go")
        #expect(Self.texts("fr_FR")(.routeLeft, 0) == "Encore 0 arrêt")
        #expect(Self.texts("fr_FR")(.routeLeft, 2) == "Encore 2 arrêts")
        #expect(Self.texts("fr_FR")(.routeLeft, 1_000_000).hasSuffix(" d’arrêts"))
        #expect(Self.texts("sw_KE")(.routeLeft, 1) == "Kituo 1 kimebaki")
        #expect(Self.texts("sw_KE")(.routeLeft, 3) == "Vituo 3 vimebaki")
        #expect(Self.texts("hi_IN")(.statusAttention, 0) == "0 बात पर आपका ध्यान चाहिए")
        #expect(Self.texts("hi_IN")(.statusAttention, 2) == "2 बातों पर आपका ध्यान चाहिए")
        let arabic = [0, 1, 2, 3, 11, 100].map { Self.texts("ar_EG")(.routeLeft, $0) }
        #expect(arabic == [
            "لم تبقَ أي محطة", "بقيت محطة واحدة", "بقيت محطتان", "بقيت ٣ محطات", "بقيت ١١ محطة", "بقيت ١٠٠ محطة",
        ])
    }

    @Test func whatIsFilledInKeepsItsPlaceInEachLanguageAndItsOwnDirection() {
        #expect(Self.texts("en_KE")(.routeProgress, 2, 6) == "Done: 2 of 6")
        #expect(Self.texts("hi_IN")(.routeProgress, 2, 6) == "हुए: 6 में से 2")
        #expect(Self.texts("ar_EG")(.receipt, "7Q4K-2MXD") == "الإيصال \u{2068}7Q4K-2MXD\u{2069}")
        #expect(Self.texts("en_KE")(.receipt, "7Q4K-2MXD") == "Receipt 7Q4K-2MXD")
        #expect(Self.texts("en_KE")(.owes, "محمد") == "Owes \u{2068}محمد\u{2069}")
    }

    @Test func aBalanceIsToldInWordsAndNeverByASignAlone() {
        let texts = Self.texts("en_KE")
        #expect(texts.balance(Money(minor: 123_450, currency: "KES")) == "Owes Ksh\u{A0}1,234.50")
        #expect(texts.balance(Money(minor: -500, currency: "KES")) == "Has a credit of Ksh\u{A0}5.00")
        #expect(texts.balance(Money(minor: 0, currency: "KES")) == "Owes nothing")
        #expect(texts.balance(Money(minor: .min, currency: "KES")).hasPrefix("Has a credit of "))
    }

    @Test(arguments: ["en_KE", "fr_FR", "sw_KE", "hi_IN", "ar_EG"])
    func anAmountThatTheAppTypesReadsBackAsTheSame(_ locale: String) {
        let amounts: [(Int64, String)] = [(123_450, "KES"), (5, "KES"), (1_234, "UGX"), (1_234_567, "TND")]
        for (minor, currency) in amounts {
            let amount = Money(minor: minor, currency: currency)
            let texts = Self.texts(locale)
            #expect(Money(typed: texts.typed(amount), currency: currency, locale: texts.locale) == amount)
        }
    }

    @Test func aMomentOfTodayIsATimeAndAnotherDayHasItsDate() throws {
        let zone = try #require(TimeZone(identifier: "Africa/Nairobi"))
        let now = Date(timeIntervalSince1970: 1_700_000_000)
        let texts = Self.texts("en_KE")
        let today = texts.moment(now.addingTimeInterval(-3_600), now: now, zone: zone)
        let before = texts.moment(now.addingTimeInterval(-86_400), now: now, zone: zone)
        #expect(today == "0:13")
        #expect(before.contains("14") && before.contains("Nov"))
    }

    private static func texts(_ locale: String) -> Texts {
        Texts(Language(rawValue: String(locale.prefix(2)))!, locale: Locale(identifier: locale))
    }

    private static func places(_ text: String?) -> Set<String> {
        var number = 0
        return Set((text ?? "").matches(of: Texts.places).map { match in
            number += 1
            let kind = match.output.0.hasSuffix("@") ? "text" : "number"
            return "\(match.output.1.map(String.init) ?? "\(number)") \(kind)"
        })
    }

    private static func forms(_ localization: Catalogue.Localization) -> [(Plural, String)] {
        guard let forms = localization.variations?.plural else { return [(.other, localization.text(.other) ?? "")] }
        return forms.map { (Plural(rawValue: $0.key) ?? .other, $0.value.stringUnit.value) }
    }
}
