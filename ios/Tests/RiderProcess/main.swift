// A rider's app in a process of its own: does one step, says so, and waits to be killed.
//
//   RiderProcess FOLDER STEP [LINK]

import CarboyRider
import Foundation
import TestSupport

/// One line for whoever watches, at once.
func say(_ line: String) {
    FileHandle.standardOutput.write(Data("\(line)\n".utf8))
}

let arguments = CommandLine.arguments
let phone = try Phone(URL(fileURLWithPath: arguments[1]))
if arguments[2] == "enrol" {
    say("doing")
    _ = try await phone.enrolled(arguments[3])
} else if let step = Step(rawValue: arguments[2]) {
    let rider = try await phone.rider()
    try await until("a route") { !rider.route.stops.isEmpty }
    let isDone = try await step.isDone(phone)
    say("doing")
    if !isDone { try await step.perform(phone, rider) }
}
say("done")
try await Task.sleep(for: .seconds(60))
