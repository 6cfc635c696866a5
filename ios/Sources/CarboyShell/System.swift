// What the shell asks of the system: each a small protocol that the system's own class satisfies (see Apple/), and that
// a test's stand-in satisfies on a machine without it.

import Carboy
import Foundation

/// A network path, as `NWPath` describes it.
public protocol NetworkPath: Sendable {
    /// Whether something can be sent over it.
    var isSatisfied: Bool { get }
    /// Whether it may cost money: a mobile network or somebody's hot spot.
    var isExpensive: Bool { get }
    /// Whether the rider asked for little to be sent over it: Low Data Mode.
    var isConstrained: Bool { get }
}

/// Tells of each change of the phone's network, as `NWPathMonitor` does.
public protocol NetworkMonitor: AnyObject {
    /// Begins to tell: the path of now, and each one that takes its place.
    func start(_ tell: @escaping @Sendable (any NetworkPath) -> Void)
    func cancel()
}

/// One run in the background that the system grants, as `BGTask`.
public protocol BackgroundRun: AnyObject {
    /// What the system calls when the time is up.
    func whenExpired(_ work: @escaping @Sendable () -> Void)
    func setTaskCompleted(success: Bool)
}

/// Grants runs in the background, as `BGTaskScheduler`.
@MainActor
public protocol BackgroundScheduler: AnyObject {
    /// Names who does the work; before the app has finished launching.
    func register(_ job: BackgroundJob, _ work: @escaping @MainActor @Sendable (any BackgroundRun) -> Void)
    /// Asks for one run, not before so many seconds have passed. One that was asked for already is replaced.
    func submit(_ job: BackgroundJob, after delay: TimeInterval) throws
    func cancel(_ job: BackgroundJob)
}

/// The shell's jobs in the background.
public enum BackgroundJob: String, CaseIterable, Sendable {
    /// `BGAppRefreshTask`: half a minute, now and then.
    case refresh = "app.carboy.rider.refresh"
    /// `BGProcessingTask`: minutes, once there is a network.
    case drain = "app.carboy.rider.drain"
}

/// Grants time to finish something after the app went to the back, as `UIApplication`.
@MainActor
public protocol BackgroundTime: AnyObject {
    /// Asks for time; nothing if the system grants none. It calls `expired` shortly before it suspends the app anyway.
    func begin(_ name: String, expired: @escaping @MainActor @Sendable () -> Void) -> Int?
    func end(_ grant: Int)
}

/// The Keychain's four functions, for the shell's generic passwords: each answers with an `OSStatus`.
public protocol Keychain: Sendable {
    func copy(_ name: String) -> (status: Int32, secret: Data?)
    func add(_ name: String, _ secret: Data) -> Int32
    func update(_ name: String, _ secret: Data) -> Int32
    func delete(_ name: String) -> Int32
}

/// Writes lines as `os.Logger` does.
public protocol LogWriter: Sendable {
    func write(_ line: String, _ kind: LogKind, category: String)
}

/// The values of `OSLogType`.
public enum LogKind: UInt8, Sendable {
    case `default` = 0
    case info = 1
    case debug = 2
    case error = 16
}

/// Everything that the shell needs of the system.
public struct System {
    /// Where the shell's files are. The system must not back this folder up, and must let it be written while the phone
    /// is locked.
    public let folder: URL
    public let deviceName: String
    public let network: any NetworkMonitor
    public let scheduler: any BackgroundScheduler
    public let time: any BackgroundTime
    public let keychain: any Keychain
    public let log: any LogWriter

    public init(
        folder: URL, deviceName: String, network: any NetworkMonitor, scheduler: any BackgroundScheduler,
        time: any BackgroundTime, keychain: any Keychain, log: any LogWriter
    ) {
        (self.folder, self.deviceName, self.network) = (folder, deviceName, network)
        (self.scheduler, self.time, self.keychain, self.log) = (scheduler, time, keychain, log)
    }
}
