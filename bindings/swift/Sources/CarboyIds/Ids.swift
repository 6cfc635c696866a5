// Ids as the core gives them out: text that only the server and the core read, and a type for each kind of thing.

/// The id of something, for example a `CustomerId`. A call that wants a customer does not take a route.
public struct Id<Tag: IdTag>: Hashable, Sendable, Codable, CustomStringConvertible {
    /// What the core calls it; fit for keeping and for a link within the app.
    public let text: String

    /// The id that the core calls `text`.
    public init(_ text: String) { self.text = text }

    public init(from decoder: any Decoder) throws {
        text = try decoder.singleValueContainer().decode(String.self)
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }

    public var description: String { text }
}

/// What an ``Id`` may be of. There are no values of it.
public protocol IdTag: Sendable {}

/// Tags a `CustomerId`.
public enum CustomerTag: IdTag {}

/// Tags a `RouteId`.
public enum RouteTag: IdTag {}

/// Tags a `PlantId`.
public enum PlantTag: IdTag {}

/// Tags an `AccountId`.
public enum AccountTag: IdTag {}

/// Tags a `DeviceId`.
public enum DeviceTag: IdTag {}

/// Tags a `TxnId`.
public enum TxnTag: IdTag {}

/// Tags a `ProductCode`.
public enum ProductTag: IdTag {}
