// What a program gets with `import Carboy`: the layer in this folder, and the generated records, errors and protocols.

@_exported import CarboyBindings
@_exported import CarboyIds

extension Carboy {
    /// The function `enrol` under a name that says where it is from: within something that has an `enrol` of its own the
    /// module's name does not help, because the class has the same.
    ///
    /// ```swift
    /// let enrolment = try await Carboy.enrol(
    ///     server: "https://plant.example", keys: keys, code: "7Q4K-2MXD", deviceName: "iPhone12,8")
    /// print("hello,", enrolment.accountName)
    /// ```
    public static func enrol(
        server: String, keys: any KeyStore, code: String, deviceName: String
    ) async throws -> Enrolment {
        try await CarboyBindings.enrol(server: server, keys: keys, code: code, deviceName: deviceName)
    }
}
