// The other end of `cargo xtask bench swift`: opens a store, alone or as a rider, does what it is told, line by line, and
// says how long each took, in nanoseconds. `CarboyBench FOLDER PLANT ACCOUNT CURRENCY CUSTOMER`

import Carboy
import CarboyFFI
import Dispatch
import Foundation

final class NoKeys: KeyStore {
    func load(name: String) throws -> Data? { nil }
    func save(name: String, secret: Data) throws {}
    func remove(name: String) throws {}
}

final class Nobody: TokenProvider {
    func token(refresh: Bool) async throws -> String { throw TokenError.SignedOut }
}

func now() -> UInt64 { DispatchTime.now().uptimeNanoseconds }

/// How long `work` takes on this very thread.
func nanoseconds(_ work: () throws -> Void) rethrows -> UInt64 {
    let start = now()
    try work()
    return now() - start
}

let arguments = CommandLine.arguments
let config = Config(
    folder: arguments[1], server: "http://127.0.0.1:9", plant: PlantId(arguments[2]), account: AccountId(arguments[3]),
    currency: arguments[4])
let customer = CustomerId(arguments[5])
let amount = Money(minor: 15_000, currency: arguments[4])
var opened: Carboy?

while let line = readLine() {
    let words = line.split(separator: " ")
    let count = Int(words[1]) ?? 0
    var times: [UInt64] = []
    if words[0] == "record" {
        opened = nil
        let rider = try await Rider.open(config, keys: NoKeys(), tokens: Nobody())
        for _ in 0..<count {
            let start = now()
            _ = try await rider.record { [customer, amount] in try $0.collectCash(customer: customer, amount: amount) }
            times.append(now() - start)
        }
        rider.close()
    } else {
        let carboy = try opened ?? Carboy.open(config: config, keys: NoKeys(), tokens: Nobody(), observer: nil)
        opened = carboy
        carboy.networkChanged(online: false)
        let route = try carboy.routes()[0].route
        for _ in 0..<count {
            switch words[0] {
            case "empty":
                times.append(nanoseconds { for _ in 0..<1_000 { _ = ffi_carboy_uniffi_contract_version() } })
            case "cash":
                times.append(try nanoseconds { _ = try carboy.collectCash(customer: customer, amount: amount) })
            case "route": times.append(try nanoseconds { _ = try carboy.stops(route: route) })
            default: fatalError("unknown: \(line)")
            }
        }
    }
    // Not by `print`, which would keep it back.
    FileHandle.standardOutput.write(Data((times.map(String.init).joined(separator: " ") + "\n").utf8))
}
