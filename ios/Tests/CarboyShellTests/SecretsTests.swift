import Carboy
import Foundation
import XCTest

@testable import CarboyShell

/// Secrets in a Keychain, and the core's log in the system's.
final class SecretsTests: XCTestCase {
    /// `errSecInteractionNotAllowed`: the phone was not unlocked since it started.
    private static let locked: Int32 = -25_308

    private let keychain = StandInKeychain()
    private var secrets: Secrets { Secrets(keychain: keychain) }
    private var tokens: Tokens { Tokens(secrets: secrets, account: AccountId("7")) }

    func testASecretIsKeptReplacedAndForgotten() throws {
        XCTAssertNil(try secrets.load(name: "device"))
        for secret in [Data([1]), Data([2, 3])] {
            try secrets.save(name: "device", secret: secret)
            XCTAssertEqual(try secrets.load(name: "device"), secret)
        }
        try secrets.remove(name: "device")
        try secrets.remove(name: "device")
        XCTAssertNil(try secrets.load(name: "device"))
    }

    func testALockedPhoneNeverLooksLikeOneWithoutTheSecret() throws {
        try secrets.save(name: "device", secret: Data([1]))
        keychain.fail(Self.locked)
        for call in [
            { _ = try self.secrets.load(name: "device") },
            { try self.secrets.save(name: "device", secret: Data()) },
            { try self.secrets.remove(name: "device") },
        ] {
            XCTAssertThrowsError(try call()) { error in
                guard case KeyStoreError.Failed(let detail) = error else { return XCTFail("\(error)") }
                XCTAssertTrue(detail.contains("device") && detail.contains("-25308"), detail)
            }
        }
    }

    func testATokenIsAnsweredWithUntilTheServerRefusesItOrItIsForgotten() async throws {
        try tokens.keep("secret")
        let token = try await tokens.token(refresh: false)
        XCTAssertEqual(token, "secret")
        let refused = await failure { try await self.tokens.token(refresh: true) }
        guard case .SignedOut? = refused else { return XCTFail("\(String(describing: refused))") }
        keychain.fail(Self.locked)
        let locked = await failure { try await self.tokens.token(refresh: false) }
        guard case .Unavailable? = locked else { return XCTFail("\(String(describing: locked))") }
        keychain.fail(nil)
        try tokens.forget()
        let forgotten = await failure { try await self.tokens.token(refresh: false) }
        guard case .SignedOut? = forgotten else { return XCTFail("\(String(describing: forgotten))") }
    }

    private func failure(_ call: () async throws -> String) async -> TokenError? {
        do {
            _ = try await call()
            return nil
        } catch { return error as? TokenError }
    }

    func testEveryLevelOfTheLogHasItsPlaceInTheSystems() throws {
        let log = StandInLog()
        for level in LogLevel.allCases { try SystemLog(writer: log).log(level: level, target: "carboy", line: "\(level)") }
        XCTAssertEqual(log.lines.map(\.line), ["error", "warn", "info", "debug", "trace"])
        XCTAssertEqual(log.lines.map(\.kind), [.error, .default, .info, .debug, .debug])
    }
}
