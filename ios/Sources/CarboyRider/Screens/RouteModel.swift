// Today's route: the stops in order, how each stands, and which is next.

import Carboy
import Observation

/// A stop as a line of the route.
public struct StopRow: Sendable, Identifiable, Equatable {
    /// Who is visited.
    public let id: CustomerId
    public let name: String
    public let address: String
    /// What the customer owes, in words.
    public let balance: String
    /// How the stop stands, in words.
    public let state: String
    /// What became of what says so; nothing if nothing was recorded.
    public let mark: Mark?
    /// Whether the rider is done with it in this shift.
    public let isDone: Bool
    /// All of it for VoiceOver.
    public let label: String
}

/// The route of the day.
@MainActor @Observable
public final class RouteModel: Screen {
    /// The routes to choose from, by name.
    public private(set) var routes: [Route] = []
    /// The route that is shown.
    public private(set) var route: Route?
    /// Its stops, in the order of the round.
    public private(set) var stops: [StopRow] = []
    /// The route that the rider wants to see; that of the shift if he has not said. The screen runs anew with another.
    public var chosen: RouteId?

    public override init(_ rider: Rider, _ texts: Texts) { super.init(rider, texts) }

    /// The first stop that is not done with.
    public var next: StopRow? { stops.first { !$0.isDone } }

    /// How far the rider is, in words; nothing without a route.
    public var progress: String? {
        route.map { texts(.routeProgress, $0.done, $0.stops) }
    }

    /// How much is left, in words; nothing without a route.
    public var left: String? {
        route.map { texts(.routeLeft, $0.stops - min($0.done, $0.stops)) }
    }

    /// Shows the route for as long as the screen is there.
    public func run() async {
        let shown = rider.watch(.customers, .day, .outbox, .attention) { [chosen] carboy in
            try Shown(carboy, chosen)
        }
        await follow(shown) { shown in
            routes = shown.routes
            route = shown.routes.first { $0.route == shown.route }
            stops = shown.stops.map { row($0, needsRider: shown.needRider.contains($0.customer.customer)) }
        }
    }

    private func row(_ stop: Stop, needsRider: Bool) -> StopRow {
        let customer = stop.customer
        let balance = texts.balance(customer.balance)
        let state = texts.state(stop.state)
        let became: Mark? = stop.state == nil ? nil : stop.settled ? .settled : .saved
        let mark = needsRider ? .attention : became
        return StopRow(
            id: customer.customer, name: customer.name, address: customer.address, balance: balance, state: state,
            mark: mark, isDone: [.delivered, .failed, .skipped].contains(stop.state),
            label: texts.joined([customer.name, customer.address, state, mark?.label(texts) ?? "", balance]))
    }

    /// What the screen asks for, in one go.
    private struct Shown: Equatable, Sendable {
        let routes: [Route]
        let route: RouteId?
        let stops: [Stop]
        let needRider: Set<CustomerId>

        init(_ carboy: Carboy, _ chosen: RouteId?) throws {
            routes = try carboy.routes()
            let shift = try carboy.day().shift
            let ofShift = shift?.finishedAt == nil ? shift?.route : nil
            let known = Set(routes.map(\.route))
            route = [chosen, ofShift].compactMap { $0 }.first(where: known.contains) ?? routes.first?.route
            stops = try route.map(carboy.stops) ?? []
            needRider = Set(try carboy.attention(skip: 0, limit: 200).compactMap(\.customer))
        }
    }
}

extension Attention {
    /// Whom it is about, if about anybody.
    var customer: CustomerId? {
        switch self {
        case .mutation(let refused): refused.customer
        case .edit(let lost): lost.customer
        case .file: nil
        }
    }
}
