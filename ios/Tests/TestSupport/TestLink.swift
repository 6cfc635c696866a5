// The way to a server over a proxy on this machine, which can be cut at any moment.

import Foundation

/// A link that is up, down, or loses every reply.
public final class TestLink: @unchecked Sendable {
    public enum Mode: Sendable {
        case up
        /// Nothing gets through, and what was open breaks.
        case down
        /// Requests reach the server, which acts on them; no answer comes back.
        case losesReplies
    }

    /// The address that a phone takes for the server's.
    public let address: String
    private let listener: Int32
    private let server: UInt16
    private let lock = NSLock()
    private var mode = Mode.up
    private var sockets: Set<Int32> = []
    private var lost = 0

    public init(to server: String) throws {
        guard let port = URLComponents(string: server)?.port else { throw TestFailure("no port in \(server)") }
        self.server = UInt16(port)
        listener = Self.socket()
        let listener = listener
        try Self.checked(Self.with(port: 0) { bind(listener, $0, $1) }, "bind")
        try Self.checked(listen(listener, 16), "listen")
        address = "http://127.0.0.1:\(try Self.port(of: listener))"
        Thread.detachNewThread { [weak self] in
            while true {
                let phone = accept(listener, nil, nil)
                guard phone >= 0, let self else { return }
                self.carry(phone)
            }
        }
    }

    deinit {
        set(.down)
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
    }

    /// How many replies were lost so far.
    public var lostReplies: Int { lock.withLock { lost } }

    public func set(_ mode: Mode) {
        lock.withLock {
            self.mode = mode
            if mode == .down { for socket in sockets { shutdown(socket, Int32(SHUT_RDWR)) } }
        }
    }

    private func carry(_ phone: Int32) {
        let upstream = Self.socket()
        let isUp = lock.withLock {
            if mode != .down { sockets.formUnion([phone, upstream]) }
            return mode != .down
        }
        guard isUp, Self.with(port: server, { connect(upstream, $0, $1) }) == 0 else {
            lock.withLock { sockets.subtract([phone, upstream]) }
            close(phone)
            close(upstream)
            return
        }
        let pumps = DispatchGroup()
        for (from, to, isReply) in [(phone, upstream, false), (upstream, phone, true)] {
            pumps.enter()
            Thread.detachNewThread { [self] in
                pump(from, to, isReply)
                pumps.leave()
            }
        }
        pumps.notify(queue: .global()) { [self] in
            lock.withLock { sockets.subtract([phone, upstream]) }
            close(phone)
            close(upstream)
        }
    }

    private func pump(_ from: Int32, _ to: Int32, _ isReply: Bool) {
        var bytes = [UInt8](repeating: 0, count: 64 * 1024)
        while true {
            let length = recv(from, &bytes, bytes.count, 0)
            if length <= 0 || isLost(isReply) { break }
            if send(to, bytes, length, Int32(MSG_NOSIGNAL)) != length { break }
        }
        shutdown(from, Int32(SHUT_RDWR))
        shutdown(to, Int32(SHUT_RDWR))
    }

    private func isLost(_ isReply: Bool) -> Bool {
        lock.withLock {
            guard isReply, mode == .losesReplies else { return mode == .down }
            lost += 1
            return true
        }
    }

    private static func socket() -> Int32 {
        #if canImport(Glibc)
        Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        #else
        Darwin.socket(AF_INET, SOCK_STREAM, 0)
        #endif
    }

    private static func with(port: UInt16, _ work: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { work($0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
        }
    }

    private static func port(of socket: Int32) throws -> UInt16 {
        var address = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(socket, $0, &length) }
        }
        try checked(result, "getsockname")
        return UInt16(bigEndian: address.sin_port)
    }

    private static func checked(_ result: Int32, _ what: String) throws {
        if result != 0 { throw TestFailure("\(what) failed with \(errno)") }
    }
}
