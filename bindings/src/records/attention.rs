//! What needs the rider, and what can be done about it.

use super::{DeliveredLine, FailReason, Field, Money, StockLine, Value};
use crate::convert::{self, same_variants};
use crate::{CarboyError, CustomerId, RouteId, Timestamp, TxnId, core};
use std::collections::HashMap;

/// Something that needs the rider.
#[derive(Debug, Clone, uniffi::Enum)]
pub enum Attention {
    /// A mutation that the server did not accept.
    Mutation {
        /// Which, and what may be done about it.
        refused: Refused,
    },
    /// An edit of this rider that stands behind another one's: `settleEdit` deals with it.
    Edit {
        /// Which, and both values.
        lost: LostEdit,
    },
    /// The phone's file was damaged and a new one was made of what could be read. `accept` it as number 0.
    File {
        /// What was saved and what was not.
        detail: String,
    },
}

impl From<core::Attention> for Attention {
    fn from(attention: core::Attention) -> Self {
        match attention {
            core::Attention::Refused(refused) => Self::Mutation { refused: refused.into() },
            core::Attention::LostEdit(lost) => Self::Edit { lost: lost.into() },
            core::Attention::FileDamaged { detail } => Self::File { detail },
        }
    }
}

/// A mutation that the server did not accept.
#[derive(Debug, Clone, uniffi::Record)]
pub struct Refused {
    /// The record's number on this phone.
    pub id: u64,
    /// The mutation; nothing if its bytes cannot be read any more.
    pub txn: Option<TxnId>,
    /// Its kind; empty if it cannot be read any more.
    pub kind: String,
    /// Whom it is about, if about anybody.
    pub customer: Option<CustomerId>,
    /// That customer's name; empty if it cannot be told any more.
    pub customer_name: String,
    /// When it was recorded by this phone's clock.
    pub at: Option<Timestamp>,
    /// The server's reason, for a switch.
    pub reason: String,
    /// The server's reason, with the values.
    pub detail: String,
    /// What was recorded, as JSON.
    pub body: String,
    /// What the rider may do.
    pub choices: Vec<Choice>,
}

impl From<core::Refused> for Refused {
    fn from(refused: core::Refused) -> Self {
        Self {
            id: refused.id,
            txn: refused.txn,
            kind: refused.kind,
            customer: refused.customer,
            customer_name: refused.customer_name,
            at: refused.at,
            reason: refused.reason,
            detail: refused.detail,
            body: refused.body,
            choices: convert::list(refused.choices),
        }
    }
}

/// An edit of this rider that somebody changed too, neither having seen the other's.
#[derive(Debug, Clone, uniffi::Record)]
pub struct LostEdit {
    /// Whose profile.
    pub customer: CustomerId,
    /// The customer's name.
    pub customer_name: String,
    /// Which field.
    pub field: Field,
    /// The value that is shown.
    pub shown: Value,
    /// This rider's.
    pub mine: Value,
}

impl From<core::LostEdit> for LostEdit {
    fn from(lost: core::LostEdit) -> Self {
        let core::LostEdit { customer, customer_name, field, shown, mine } = lost;
        Self { customer, customer_name, field: field.into(), shown: shown.into(), mine: mine.into() }
    }
}

/// What the rider may do about a mutation that was not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum Choice {
    /// Send it again as it is: `retry`.
    Retry,
    /// Send it again corrected: `resend`.
    Correct,
    /// Take it back: `withdraw`.
    Withdraw,
    /// Leave it at that: `accept`.
    Accept,
}

same_variants!(core::Choice => Choice: Retry, Correct, Withdraw, Accept);

/// What is corrected in a mutation before it is sent again.
#[derive(Debug, Clone, uniffi::Enum)]
pub enum Correction {
    /// Another customer.
    Customer {
        /// Which.
        customer: CustomerId,
    },
    /// The bottles of a delivery, at the phone's prices of now.
    Lines {
        /// All of them.
        lines: Vec<DeliveredLine>,
    },
    /// The bottles of a stock record.
    Stock {
        /// All of them.
        lines: Vec<StockLine>,
    },
    /// The amount of cash.
    Amount {
        /// More than zero.
        amount: Money,
    },
    /// The fields of a profile.
    Fields {
        /// All of them.
        fields: HashMap<Field, String>,
    },
    /// Why a delivery failed.
    Failure {
        /// The reason.
        reason: FailReason,
        /// More about it.
        note: Option<String>,
    },
    /// The route of a new customer or a shift.
    Route {
        /// Which, if any.
        route: Option<RouteId>,
    },
}

impl TryFrom<Correction> for core::Correction {
    type Error = CarboyError;

    fn try_from(correction: Correction) -> Result<Self, CarboyError> {
        Ok(match correction {
            Correction::Customer { customer } => Self::Customer(customer),
            Correction::Lines { lines } => Self::Lines(convert::list(lines)),
            Correction::Stock { lines } => Self::Stock(convert::list(lines)),
            Correction::Amount { amount } => Self::Amount(amount.try_into()?),
            Correction::Fields { fields } => Self::Fields(convert::fields(fields)),
            Correction::Failure { reason, note } => Self::Failure(reason.into(), note),
            Correction::Route { route } => Self::Route(route),
        })
    }
}

/// Which value of a field stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, uniffi::Enum)]
pub enum Keep {
    /// The one that is shown.
    Shown,
    /// This rider's.
    Mine,
}

same_variants!(Keep => core::Keep: Shown, Mine);
