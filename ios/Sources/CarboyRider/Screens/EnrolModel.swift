// Setting the phone up with the one-time code that the dashboard shows.

import Carboy
import Foundation
import Observation

/// The first screen: where the server is, and the code.
@MainActor @Observable
public final class EnrolModel {
    public let texts: Texts
    /// The server's address, as typed or scanned.
    public var server = ""
    /// The one-time code, as typed or scanned.
    public var code = ""
    /// What went wrong; nothing once something went well.
    public private(set) var problem: String?
    public private(set) var isWorking = false

    private let enrol: @MainActor (_ server: String, _ code: String) async throws -> Void

    public init(_ texts: Texts, enrol: @escaping @MainActor (_ server: String, _ code: String) async throws -> Void) {
        self.texts = texts
        self.enrol = enrol
    }

    /// Whether there is something to try.
    public var canStart: Bool { !isWorking && server.ifAny != nil && code.ifAny != nil }

    /// The button, in words.
    public var button: String { texts(isWorking ? .enrolWorking : .enrolStart) }

    /// A code was scanned or a link opened: fills the form if it is one of ours. Says whether it was.
    @discardableResult
    public func take(_ text: String) -> Bool {
        guard let link = EnrolLink(text) else {
            problem = texts(.enrolNoLink)
            return false
        }
        (server, code, problem) = (link.server, link.code, nil)
        return true
    }

    /// The camera cannot be used.
    public func cameraFailed() { problem = texts(.enrolNoCamera) }

    /// Sets the phone up. With success, this screen goes.
    public func start() async {
        guard canStart else { return }
        isWorking = true
        problem = nil
        defer { isWorking = false }
        do {
            try await enrol(Self.address(server), code.trimmed)
        } catch CarboyError.Invalid {
            problem = texts(.errorUnreachable)
        } catch {
            problem = texts.error(error)
        }
    }

    /// As typed, with the scheme that people leave out.
    private static func address(_ typed: String) -> String {
        let typed = typed.trimmed
        return typed.contains("://") ? typed : "https://\(typed)"
    }
}
