// The system's log.

#if canImport(os)
import os

/// Writes to the unified log. The core masks what is personal in its own lines.
public struct SystemLogWriter: LogWriter {
    private let subsystem: String

    public init(subsystem: String = "app.carboy") { self.subsystem = subsystem }

    public func write(_ line: String, _ kind: LogKind, category: String) {
        Logger(subsystem: subsystem, category: category).log(level: OSLogType(kind.rawValue), "\(line, privacy: .public)")
    }
}
#endif
