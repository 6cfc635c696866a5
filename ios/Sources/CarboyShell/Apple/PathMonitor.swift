// The system's network monitor.

#if canImport(Network)
import Network

extension NWPath: NetworkPath {
    public var isSatisfied: Bool { status == .satisfied }
}

extension NWPathMonitor: NetworkMonitor {
    public func start(_ tell: @escaping @Sendable (any NetworkPath) -> Void) {
        pathUpdateHandler = { tell($0) }
        start(queue: DispatchQueue(label: "carboy.network"))
    }
}
#endif
