// What the dashboard's QR code holds.

import Foundation

/// A link `carboy://enrol?server=…&code=…`: where to enrol, and the one-time code.
public struct EnrolLink: Equatable, Sendable {
    /// The scheme under which the system hands such links to the app.
    public static let scheme = "carboy"
    /// Longer than any link of ours: a QR code of something else is not looked into.
    private static let longest = 2_000

    /// The server's address, for example `https://plant.example`.
    public let server: String
    /// The one-time code.
    public let code: String

    /// The link in `text`; nothing if it is none, whatever was scanned or opened.
    public init?(_ text: String) {
        let trimmed = text.trimmed
        guard trimmed.count <= Self.longest, let link = URLComponents(string: trimmed),
            link.scheme?.lowercased() == Self.scheme, link.host?.lowercased() == "enrol",
            let server = link.first("server")?.trimmed, let code = link.first("code")?.ifAny,
            let address = URLComponents(string: server), address.host?.isEmpty == false,
            ["http", "https"].contains(address.scheme?.lowercased())
        else { return nil }
        self.server = server.hasSuffix("/") ? String(server.dropLast()) : server
        self.code = code
    }
}

extension URLComponents {
    fileprivate func first(_ name: String) -> String? { queryItems?.first { $0.name == name }?.value }
}
