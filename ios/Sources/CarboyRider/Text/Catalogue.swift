// The string catalogue as Xcode writes it. It is read as it is on every system, so that what the tests see is what
// the rider sees; Xcode's own way, to compile it into the bundle, exists on Apple's systems only.

import Foundation

/// A string catalogue (`.xcstrings`).
struct Catalogue: Decodable, Sendable {
    /// What a key is in one language: one text, or one for each form in which it counts.
    struct Localization: Decodable, Sendable {
        struct Unit: Decodable, Sendable {
            struct Text: Decodable, Sendable { let value: String }

            let stringUnit: Text
        }

        struct Variations: Decodable, Sendable { let plural: [String: Unit] }

        let stringUnit: Unit.Text?
        let variations: Variations?

        /// The text for so many; for whatever number if it does not count.
        func text(_ plural: Plural) -> String? {
            guard let forms = variations?.plural else { return stringUnit?.value }
            return (forms[plural.rawValue] ?? forms[Plural.other.rawValue])?.stringUnit.value
        }
    }

    struct Entry: Decodable, Sendable { let localizations: [String: Localization] }

    let sourceLanguage: String
    let strings: [String: Entry]

    init(contentsOf url: URL) throws {
        self = try JSONDecoder().decode(Self.self, from: Data(contentsOf: url))
    }

    /// The app's own. A build without it could not say a word.
    static let app: Catalogue = {
        guard let url = Bundle.module.url(forResource: "Localizable", withExtension: "xcstrings") else {
            preconditionFailure("the string catalogue is not in the bundle \(Bundle.module.bundlePath)")
        }
        do {
            return try Catalogue(contentsOf: url)
        } catch {
            preconditionFailure("the string catalogue cannot be read: \(error)")
        }
    }()
}
