// Who works with this phone, and the file that says so.

import Carboy
import Foundation

/// Who works with this phone.
public enum Session: Sendable {
    /// It is being found out, at the start of the process.
    case loading
    /// Nobody: the phone has to be enrolled.
    case signedOut
    /// A rider, with his store open.
    case signedIn(Rider, Identity)
    /// A rider whose store could not be opened, and why. Nothing of it was changed; it is tried again when the app comes
    /// to the front, by ``Shell/retry()``, and when the phone is enrolled anew.
    case broken(any Error)
}

/// Who is signed in, and where: an enrolment without its token, which belongs among the secrets.
public struct Identity: Codable, Equatable, Sendable {
    /// The rider's name.
    public let name: String
    /// The plant's name.
    public let plant: String
    /// The server's address.
    public let server: String
    public let deviceId: DeviceId
    public let accountId: AccountId
    public let plantId: PlantId
    /// The plant's currency, for example `KES`.
    public let currency: String

    init(_ enrolment: Enrolment, server: String) {
        (name, plant, self.server) = (enrolment.accountName, enrolment.plantName, server)
        (deviceId, accountId, plantId) = (enrolment.device, enrolment.account, enrolment.plant)
        currency = enrolment.currency
    }
}

/// The file that says who is signed in. It is there from the end of enrolment to the end of signing out.
struct IdentityFile: Sendable {
    let url: URL

    func read() throws -> Identity? {
        guard FileManager.default.fileExists(atPath: url.path) else { return nil }
        do {
            return try JSONDecoder().decode(Identity.self, from: Data(contentsOf: url))
        } catch {
            throw CarboyError.Internal(detail: "who is signed in cannot be read: \(error)")
        }
    }

    func write(_ identity: Identity) throws {
        try JSONEncoder().encode(identity).write(to: url, options: .atomic)
    }

    func delete() throws {
        if FileManager.default.fileExists(atPath: url.path) { try FileManager.default.removeItem(at: url) }
    }
}
