// The core's log on its way to the system's.

import Carboy

/// Hands the core's log to the system's, each part of the core as a category of its own.
final class SystemLog: LogSink {
    private let writer: any LogWriter

    init(writer: any LogWriter) { self.writer = writer }

    func log(level: LogLevel, target: String, line: String) throws {
        writer.write(line, LogKind(level), category: target)
    }
}

extension LogKind {
    init(_ level: LogLevel) {
        self =
            switch level {
            case .error: .error
            case .warn: .default
            case .info: .info
            case .debug, .trace: .debug
            }
    }
}
