// The app as a whole: nobody, a rider, or a store that cannot be opened.

import Carboy
import CarboyShell
import Foundation
import Observation

/// What the app shows, as the shell tells who works with this phone.
@MainActor @Observable
public final class AppModel {
    /// What is on the screen.
    public enum Stage {
        case loading
        case enrol(EnrolModel)
        case rider(RiderModel)
        /// With what went wrong, in words.
        case broken(String)
    }

    public let texts: Texts
    public private(set) var stage = Stage.loading

    private let shell: Shell
    private let folder: URL

    /// `folder` is where files to share are written.
    public init(_ shell: Shell, _ texts: Texts, folder: URL = FileManager.default.temporaryDirectory) {
        (self.shell, self.texts, self.folder) = (shell, texts, folder)
    }

    /// Shows whoever works with this phone for as long as the app runs.
    public func run() async {
        for await session in shell.sessions { show(session) }
    }

    /// A link was opened.
    public func open(_ link: URL) {
        if case .enrol(let enrol) = stage { enrol.take(link.absoluteString) }
    }

    /// Tries to open the store again.
    public func retry() { shell.retry() }

    /// Sets the phone up again; what was recorded stays.
    public func enrolAgain() { stage = .enrol(enrolment()) }

    private func show(_ session: Session) {
        switch session {
        case .loading: stage = .loading
        case .signedOut: stage = .enrol(enrolment())
        case .broken(let error): stage = .broken(texts.error(error))
        case .signedIn(let rider, let identity):
            let settings = SettingsModel(
                rider, texts, name: identity.name, plant: identity.plant, server: identity.server, folder: folder
            ) { [shell] in try await shell.signOut($0) }
            stage = .rider(RiderModel(rider, texts, settings: settings))
        }
    }

    private func enrolment() -> EnrolModel {
        EnrolModel(texts) { [shell] in try await shell.enrol(server: $0, code: $1) }
    }
}
