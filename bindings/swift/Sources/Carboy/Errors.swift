// What errors say to a person.

import Foundation

/// A call came after its ``Rider`` was closed. Nothing was done.
public struct RiderClosedError: LocalizedError, Equatable {
    public init() {}

    public var errorDescription: String? { "This rider was signed out or closed." }
}

extension CarboyError: LocalizedError {
    /// What happened, for a person.
    public var errorDescription: String? {
        switch self {
        case .UnknownCustomer: "This customer is not on this phone."
        case .UnknownProduct: "This product is not on this phone."
        case .UnknownRoute: "This route is not on this phone."
        case .UnknownRecord: "This record is not on this phone any more."
        case .NotPossible: "That cannot be done with this record."
        case .ShiftOpen: "The last shift has not ended."
        case .NoShift: "No shift is open."
        case .UnreadablePhoto: "The photo cannot be read. Nothing was recorded."
        case .CurrencyMismatch: "The amount is not in the plant's currency."
        case .Invalid: "A value is out of range or not of the expected form."
        case .WrongAccount: "The file belongs to another account."
        case .SignedOut: "The account was signed out."
        case .WrongKey: "The phone's key does not fit the file."
        case .NoDeviceKey: "The phone has lost its key and has to be enrolled again."
        case .KeyStoreFailed: "The phone's keys cannot be read at the moment."
        case .NeedsUpgrade: "A newer version of the app is needed."
        case .StorageFull: "The phone's storage is full. Nothing was recorded."
        case .Damaged: "The file is damaged. What can be read of it is saved when it is opened again."
        case .NotAStore: "The file is of another kind."
        case .WrongCode: "The code is wrong, used or too old."
        case .Unreachable: "The server cannot be reached."
        case .Internal: "Something went wrong."
        case .PendingWork: "Something waits to be sent or for the rider."
        }
    }

    /// The reason with its values, for a log.
    public var failureReason: String? { detail }

    /// The reason with its values, for a log.
    public var detail: String {
        switch self {
        case .UnknownCustomer(let detail), .UnknownProduct(let detail), .UnknownRoute(let detail),
            .UnknownRecord(let detail), .NotPossible(let detail), .ShiftOpen(let detail), .NoShift(let detail),
            .UnreadablePhoto(let detail), .CurrencyMismatch(let detail), .Invalid(let detail),
            .WrongAccount(let detail), .SignedOut(let detail), .WrongKey(let detail), .NoDeviceKey(let detail),
            .KeyStoreFailed(let detail), .NeedsUpgrade(let detail), .StorageFull(let detail),
            .Damaged(let detail), .NotAStore(let detail), .WrongCode(let detail), .Unreachable(let detail),
            .Internal(let detail), .PendingWork(_, _, _, let detail):
            detail
        }
    }
}

extension TokenError: LocalizedError {
    public var errorDescription: String? {
        switch self {
        case .SignedOut: "Nobody is signed in."
        case .Unavailable(let detail): detail
        }
    }
}

extension KeyStoreError: LocalizedError {
    public var errorDescription: String? {
        switch self { case .Failed(let detail): detail }
    }
}

extension ObserverError: LocalizedError {
    public var errorDescription: String? {
        switch self { case .Failed(let detail): detail }
    }
}

extension LogSinkError: LocalizedError {
    public var errorDescription: String? {
        switch self { case .Failed(let detail): detail }
    }
}
