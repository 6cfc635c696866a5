// The other end of `cargo xtask bench swift`: opens a store and does what it is told, line by line, and says how long
// each took, in nanoseconds. `CarboyBench FOLDER PLANT ACCOUNT CURRENCY CUSTOMER`

import Carboy
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

func nanoseconds(_ work: () throws -> Void) rethrows -> UInt64 {
    let start = DispatchTime.now().uptimeNanoseconds
    try work()
    return DispatchTime.now().uptimeNanoseconds - start
}

let arguments = CommandLine.arguments
let config = Config(
    folder: arguments[1], server: "http://127.0.0.1:9", plant: PlantId(arguments[2]), account: AccountId(arguments[3]),
    currency: arguments[4])
let customer = CustomerId(arguments[5])
let amount = Money(minor: 15_000, currency: arguments[4])
let carboy = try Carboy.open(config: config, keys: NoKeys(), tokens: Nobody(), observer: nil)
carboy.networkChanged(online: false)
let route = try carboy.routes()[0].route

while let line = readLine() {
    let words = line.split(separator: " ")
    var times: [UInt64] = []
    for _ in 0..<(Int(words[1]) ?? 0) {
        switch words[0] {
        case "cash": times.append(try nanoseconds { _ = try carboy.collectCash(customer: customer, amount: amount) })
        case "route": times.append(try nanoseconds { _ = try carboy.stops(route: route) })
        default: fatalError("unknown: \(line)")
        }
    }
    // Not by `print`, which would keep it back.
    FileHandle.standardOutput.write(Data((times.map(String.init).joined(separator: " ") + "\n").utf8))
}
