// The phone's secrets in the Keychain: the core's keys and the rider's token.

import Carboy
import Foundation

/// The core's key store over the Keychain.
final class Secrets: KeyStore {
    private static let success: Int32 = 0
    /// `errSecItemNotFound` and `errSecDuplicateItem`.
    private static let notFound: Int32 = -25_300
    private static let duplicate: Int32 = -25_299

    private let keychain: any Keychain

    init(keychain: any Keychain) { self.keychain = keychain }

    /// Whatever else than "there is none" the Keychain says, a phone that is still locked for example, is thrown: a
    /// secret must never look like one that was never there.
    func load(name: String) throws -> Data? {
        let (status, secret) = keychain.copy(name)
        if status == Self.notFound { return nil }
        try check(status, "read", name)
        guard let secret else { throw KeyStoreError.Failed(detail: "the Keychain has \(name) without its data") }
        return secret
    }

    func save(name: String, secret: Data) throws {
        var status = keychain.update(name, secret)
        if status == Self.notFound { status = keychain.add(name, secret) }
        // Another thread was faster.
        if status == Self.duplicate { status = keychain.update(name, secret) }
        try check(status, "keep", name)
    }

    func remove(name: String) throws {
        let status = keychain.delete(name)
        if status != Self.notFound { try check(status, "forget", name) }
    }

    private func check(_ status: Int32, _ what: String, _ name: String) throws {
        guard status == Self.success else {
            throw KeyStoreError.Failed(detail: "the Keychain cannot \(what) \(name): OSStatus \(status)")
        }
    }
}

/// The bearer token of an account among the phone's secrets. Carboy's tokens last until a manager revokes them.
final class Tokens: TokenProvider {
    private let secrets: Secrets
    private let account: AccountId

    init(secrets: Secrets, account: AccountId) { (self.secrets, self.account) = (secrets, account) }

    private var name: String { "carboy.\(account).token" }

    func token(refresh: Bool) async throws -> String {
        // The server refused the only token there is: the rider has to enrol anew.
        if refresh { throw TokenError.SignedOut }
        let token: Data?
        do {
            token = try secrets.load(name: name)
        } catch {
            throw TokenError.Unavailable(detail: "\(error)")
        }
        guard let token else { throw TokenError.SignedOut }
        return String(decoding: token, as: UTF8.self)
    }

    func keep(_ token: String) throws { try secrets.save(name: name, secret: Data(token.utf8)) }

    func forget() throws { try secrets.remove(name: name) }
}
