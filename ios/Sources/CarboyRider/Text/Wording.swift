// What the core's codes, states and errors are called.

import Carboy

extension Texts {
    /// What went wrong, and what the rider can do about it.
    func error(_ error: any Error) -> String {
        guard let error = error as? CarboyError else {
            return self(error is RiderClosedError ? .errorSignedOut : .errorOther)
        }
        return self(phrase(error))
    }

    private func phrase(_ error: CarboyError) -> Phrase {
        switch error {
        case .WrongCode: .errorWrongCode
        case .Unreachable: .errorUnreachable
        case .NeedsUpgrade: .errorNeedsUpgrade
        case .KeyStoreFailed: .errorKeyStore
        case .StorageFull: .errorStorageFull
        case .Damaged, .NotAStore: .errorDamaged
        case .UnknownCustomer, .UnknownProduct, .UnknownRoute, .UnknownRecord: .errorUnknown
        case .NotPossible: .errorNotPossible
        case .ShiftOpen: .errorShiftOpen
        case .NoShift: .errorNoShift
        case .UnreadablePhoto: .errorPhoto
        case .Invalid, .CurrencyMismatch: .errorInvalid
        case .WrongAccount: .errorWrongAccount
        case .SignedOut: .errorSignedOut
        case .NoDeviceKey, .WrongKey: .errorNoDeviceKey
        case .PendingWork: .errorPending
        case .Internal: .errorOther
        }
    }

    /// A kind of record.
    func kind(_ kind: String) -> String {
        let phrase: Phrase =
            switch kind {
            case "confirm_delivery": .kindConfirmDelivery
            case "collect_cash": .kindCollectCash
            case "update_profile": .kindUpdateProfile
            case "fail_delivery": .kindFailDelivery
            case "note_progress": .kindNoteProgress
            case "add_customer": .kindAddCustomer
            case "start_shift": .kindStartShift
            case "finish_shift": .kindFinishShift
            case "load_stock": .kindLoadStock
            case "return_stock": .kindReturnStock
            case "hand_in_cash": .kindHandInCash
            case "withdraw": .kindWithdraw
            case "accept": .kindAccept
            case "adjust_balance": .kindAdjustBalance
            case "set_balance": .kindSetBalance
            case "": .kindUnreadable
            default: .kindOther
            }
        return self(phrase)
    }

    /// Why the server did not accept a record.
    func reason(_ reason: String) -> String {
        let phrase: Phrase =
            switch reason {
            case "invalid": .reasonInvalid
            case "unknown_customer": .reasonUnknownCustomer
            case "currency_mismatch": .reasonCurrency
            case "forbidden": .reasonForbidden
            case "txn_reused": .reasonReused
            case "tampered": .reasonTampered
            case "unknown_record": .reasonUnknownRecord
            case "already_withdrawn": .reasonWithdrawn
            case "not_reversible": .reasonNotReversible
            case "parked": .reasonParked
            default: .reasonOther
            }
        return self(phrase)
    }

    /// How a stop stands.
    func state(_ state: StopState?) -> String {
        switch state {
        case nil: self(.stopOpen)
        case .onTheWay: self(.stopOnTheWay)
        case .arrived: self(.stopArrived)
        case .delivered: self(.stopDelivered)
        case .failed: self(.stopFailed)
        case .skipped: self(.stopSkipped)
        }
    }

    /// What the exchange with the server is doing.
    func state(_ state: SyncState) -> String {
        switch state {
        case .idle: self(.stateIdle)
        case .sending: self(.stateSending)
        case .offline: self(.stateOffline)
        case .paused: self(.statePaused)
        case .waiting(.link, _, _): self(.stateLink)
        case .waiting(.busy, _, _): self(.stateBusy)
        case .waiting(.token, _, _): self(.stateToken)
        case .waiting(.server, _, _): self(.stateServer)
        case .waiting(.store, _, _): self(.stateStore)
        case .needsSignIn: self(.stateNeedsSignIn)
        case .needsUpgrade: self(.stateNeedsUpgrade)
        }
    }

    /// Why a delivery failed.
    public func reason(_ reason: FailReason) -> String {
        switch reason {
        case .closed: self(.failClosed)
        case .absent: self(.failAbsent)
        case .refused: self(.failRefused)
        case .noAccess: self(.failNoAccess)
        case .noStock: self(.failNoStock)
        case .other: self(.failOther)
        }
    }

    /// A field of a profile.
    public func field(_ field: Field) -> String {
        switch field {
        case .name: self(.fieldName)
        case .phone: self(.fieldPhone)
        case .address: self(.fieldAddress)
        case .note: self(.fieldNote)
        }
    }

    func role(_ role: Role) -> String {
        switch role {
        case .rider: self(.roleRider)
        case .manager: self(.roleManager)
        }
    }

    /// “Cash: KES 20.00”.
    func labelled(_ label: String, _ value: String) -> String { self(.labelled, label, value) }
}
