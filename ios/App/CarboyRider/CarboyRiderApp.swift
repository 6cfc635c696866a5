// The program: the shell over the phone's system, the app over the shell, and the window.

import CarboyRider
import CarboyRiderUI
import CarboyShell
import SwiftUI
import UIKit

@main
struct CarboyRiderApp: App {
    @UIApplicationDelegateAdaptor private var delegate: Delegate

    var body: some Scene {
        WindowGroup { RootView(delegate.app) }
    }
}

/// Makes the shell before the app has finished launching: the system wants the work in the background registered by
/// then, also where it starts the app for that work alone.
@MainActor
final class Delegate: NSObject, UIApplicationDelegate {
    private(set) lazy var app = AppModel(shell, Texts())
    private lazy var shell = Self.makeShell()

    func application(
        _ application: UIApplication,
        didFinishLaunchingWithOptions options: [UIApplication.LaunchOptionsKey: Any]? = nil
    ) -> Bool {
        _ = app
        return true
    }

    private static func makeShell() -> Shell {
        do {
            return Shell(phone: try System.phone())
        } catch {
            // Without its folder in Application Support there is nowhere to record anything.
            preconditionFailure(String(describing: error))
        }
    }
}
