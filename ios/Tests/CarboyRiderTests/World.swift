import Carboy
import CarboyRider
import Foundation
import TestSupport
import Testing

/// A server, the link to it, and phones.
@MainActor
class World {
    let server: TestServer
    let link: TestLink
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    private var phones: [Phone] = []

    init() throws {
        server = try TestServer()
        link = try TestLink(to: server.address)
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    /// The phone of this name, off or new before.
    func phone(_ name: String) throws -> Phone {
        let phone = try Phone(folder.appendingPathComponent(name))
        phones.append(phone)
        return phone
    }

    /// A phone whose rider has just enrolled over the link and has a route.
    func enrolled(_ name: String) async throws -> (Phone, RiderModel) {
        let phone = try phone(name)
        return (phone, try await phone.enrolled(server.link(server.code(), over: link.address)))
    }

    /// Another rider's phone, which reads what the server holds.
    func other() async throws -> (Phone, RiderModel) {
        let phone = try phone(UUID().uuidString)
        let rider = try await phone.enrolled(server.link(server.code(), over: server.address))
        await rider.status.send()
        return (phone, rider)
    }

    /// The customers of the route with their balances in minor units, by their place on it.
    func balances(_ phone: Phone, _ rider: RiderModel) async throws -> [Int64] {
        let stops = rider.route.stops.map(\.id)
        let core = try phone.core()
        return try await core.ask { carboy in try stops.map { try carboy.customer(customer: $0).balance.minor } }
    }

    /// The amounts on a customer's ledger, oldest first.
    func ledger(_ phone: Phone, _ customer: CustomerId) async throws -> [Int64] {
        let core = try phone.core()
        let lines = try await core.ask { try $0.history(customer: customer, skip: 0, limit: 100) }
        return lines.map(\.amount.minor).filter { $0 != 0 }.reversed()
    }
}

func kes(_ minor: Int64) -> Money { Money(minor: minor, currency: "KES") }
