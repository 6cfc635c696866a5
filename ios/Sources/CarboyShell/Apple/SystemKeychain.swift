// The system's Keychain: generic passwords of this device only, to be read once it was unlocked after its start, so that
// what waits is sent from a pocket.

#if canImport(Security)
import Foundation
import Security

/// The Keychain's functions, for generic passwords of one service.
public struct SystemKeychain: Keychain {
    private let service: String

    public init(service: String = "app.carboy") { self.service = service }

    public func copy(_ name: String) -> (status: Int32, secret: Data?) {
        var found: CFTypeRef?
        let wanted = [kSecReturnData: true, kSecMatchLimit: kSecMatchLimitOne] as [CFString: Any]
        let status = SecItemCopyMatching(query(name, wanted), &found)
        return (status, found as? Data)
    }

    public func add(_ name: String, _ secret: Data) -> Int32 { SecItemAdd(query(name, attributes(secret)), nil) }

    public func update(_ name: String, _ secret: Data) -> Int32 {
        SecItemUpdate(query(name), attributes(secret) as CFDictionary)
    }

    public func delete(_ name: String) -> Int32 { SecItemDelete(query(name)) }

    private func attributes(_ secret: Data) -> [CFString: Any] {
        [kSecValueData: secret, kSecAttrAccessible: kSecAttrAccessibleAfterFirstUnlockThisDeviceOnly]
    }

    private func query(_ name: String, _ more: [CFString: Any] = [:]) -> CFDictionary {
        let base: [CFString: Any] = [
            kSecClass: kSecClassGenericPassword, kSecAttrService: service, kSecAttrAccount: name,
            kSecAttrSynchronizable: false,
        ]
        return base.merging(more) { $1 } as CFDictionary
    }
}
#endif
