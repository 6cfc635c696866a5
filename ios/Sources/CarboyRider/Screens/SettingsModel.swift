// Who is signed in, signing out, and a file for support.

import Carboy
import Foundation
import Observation

/// The settings of a signed-in rider.
@MainActor @Observable
public final class SettingsModel: Screen {
    /// What is to become of work that was not sent.
    public enum Choice: Sendable, CaseIterable, Identifiable {
        case sendFirst, keepSealed, export

        public var id: Self { self }
    }

    /// The rider's name.
    public let name: String
    /// The plant's name.
    public let plant: String
    /// The server's address.
    public let server: String
    /// What has not been sent, in words, while the rider is asked what is to become of it; nothing otherwise.
    public private(set) var unsent: String?
    /// The file that is ready to be shared; nothing without one.
    public private(set) var file: URL?

    /// How long sending first may take.
    static let window: TimeInterval = 60

    private let leave: @MainActor (SignOut) async throws -> SignedOut
    private let folder: URL

    /// `folder` is where files to share are written. `leave` signs out; with success, this screen goes.
    init(
        _ rider: Rider, _ texts: Texts, name: String, plant: String, server: String, folder: URL,
        leave: @escaping @MainActor (SignOut) async throws -> SignedOut
    ) {
        (self.name, self.plant, self.server, self.folder, self.leave) = (name, plant, server, folder, leave)
        super.init(rider, texts)
    }

    /// What a choice is called.
    public func label(_ choice: Choice) -> String {
        switch choice {
        case .sendFirst: texts(.sendFirst)
        case .keepSealed: texts(.keepSealed)
        case .export: texts(.exportIt)
        }
    }

    /// Signs out if nothing is left to send, and asks otherwise.
    public func signOut() async { await signOut(.ifDone) }

    /// Signs out as the rider chose.
    public func signOut(_ choice: Choice) async {
        switch choice {
        case .sendFirst: await signOut(SignOut.sendFirst(window: Self.window))
        case .keepSealed: await signOut(SignOut.keepSealed)
        case .export:
            let path = folder.appendingPathComponent("carboy-unsent.jsonl")
            await signOut(SignOut.export(path: path.path))
        }
    }

    /// The rider stays.
    public func stay() { unsent = nil }

    /// Writes the file for support.
    public func writeSupportFile() async {
        let path = folder.appendingPathComponent("carboy-support.json")
        await attempt { [rider] in
            try await rider.ask { try $0.exportDiagnostics(path: path.path) }
            file = path
        }
    }

    private func signOut(_ choice: SignOut) async {
        await attempt { [leave] in
            do {
                _ = try await leave(choice)
                unsent = nil
            } catch CarboyError.PendingWork(let mutations, let photos, let refused, _) {
                unsent = texts.joined([
                    mutations > 0 ? texts(.unsentRecords, mutations) : "",
                    photos > 0 ? texts(.statusPhotos, photos) : "",
                    refused > 0 ? texts(.statusAttention, refused) : "",
                ])
                if choice != .ifDone { problem = texts(.notAllSent) }
            }
        }
    }
}
