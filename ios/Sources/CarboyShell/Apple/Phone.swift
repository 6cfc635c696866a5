// The shell on a phone: the system's own classes, and when the app comes to the front and goes.

#if canImport(UIKit) && canImport(BackgroundTasks)
import BackgroundTasks
import Foundation
import Network
import UIKit

extension System {
    /// The phone's own.
    @MainActor
    public static func phone(_ application: UIApplication = .shared) throws -> System {
        System(
            folder: try phoneFolder(), deviceName: application.deviceName, network: NWPathMonitor(),
            scheduler: BGTaskScheduler.shared, time: application, keychain: SystemKeychain(), log: SystemLogWriter())
    }

    /// In Application Support: out of every backup, and writable while the phone is locked.
    private static func phoneFolder() throws -> URL {
        let files = FileManager.default
        let support = try files.url(for: .applicationSupportDirectory, in: .userDomainMask, appropriateFor: nil, create: true)
        var folder = support.appendingPathComponent("carboy", isDirectory: true)
        let protection = [FileAttributeKey.protectionKey: FileProtectionType.completeUntilFirstUserAuthentication]
        try files.createDirectory(at: folder, withIntermediateDirectories: true, attributes: protection)
        try files.setAttributes(protection, ofItemAtPath: folder.path)
        var values = URLResourceValues()
        values.isExcludedFromBackup = true
        try folder.setResourceValues(values)
        return folder
    }
}

extension Shell {
    /// The shell of an app, told by the system when that comes to the front and goes. To be made before the app has
    /// finished launching, for example in the `init` of its `App`.
    public convenience init(phone: System) {
        self.init(phone)
        follow(UIApplication.didBecomeActiveNotification) { $0.shown() }
        follow(UIApplication.didEnterBackgroundNotification) { $0.hidden() }
    }

    private func follow(_ name: Notification.Name, _ work: @escaping @MainActor @Sendable (Shell) -> Void) {
        NotificationCenter.default.addObserver(forName: name, object: nil, queue: .main) { [weak self] _ in
            MainActor.assumeIsolated { if let self { work(self) } }
        }
    }
}

extension UIApplication {
    /// The model, for example `iPhone12,8`: since iOS 16 the phone's own name is kept from apps.
    fileprivate var deviceName: String {
        var info = utsname()
        uname(&info)
        return withUnsafeBytes(of: &info.machine) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
}
#endif
