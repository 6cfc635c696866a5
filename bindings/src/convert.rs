//! Conversions between the core's types and those of the border.

use crate::records::*;
use crate::{CarboyError, core};
use carboy_protocol as protocol;
use std::fmt::Display;
use std::str::FromStr;

fn invalid(error: impl Display) -> CarboyError {
    CarboyError::Invalid { detail: error.to_string() }
}

/// Text as an id, a code or a currency.
pub(crate) fn id<T: FromStr<Err: Display>>(text: &str) -> Result<T, CarboyError> {
    text.parse().map_err(invalid)
}

pub(crate) fn list<T, U: From<T>>(items: Vec<T>) -> Vec<U> {
    items.into_iter().map(Into::into).collect()
}

pub(crate) fn identity(config: &Config) -> Result<core::Identity, CarboyError> {
    Ok(core::Identity {
        plant: id(&config.plant)?,
        account: id(&config.account)?,
        currency: id(&config.currency)?,
    })
}

/// Enums with the same variants on both sides.
macro_rules! same_variants {
    ($from:ty => $to:ty: $($variant:ident),+) => {
        impl From<$from> for $to {
            fn from(value: $from) -> Self {
                match value {
                    $(<$from>::$variant => Self::$variant,)+
                }
            }
        }
    };
}

same_variants!(Field => protocol::Field: Name, Phone, Address, Note);
same_variants!(protocol::Field => Field: Name, Phone, Address, Note);
same_variants!(FailReason => protocol::FailReason: Closed, Absent, Refused, NoAccess, NoStock, Other);
same_variants!(protocol::Role => Role: Rider, Manager);
same_variants!(core::Visit => Visit: Delivered, Failed);
same_variants!(core::Change => Change: Customers, Outbox, Attention, Status);

impl From<protocol::Money> for Money {
    fn from(money: protocol::Money) -> Self {
        Self { minor: money.minor, currency: money.currency.to_string() }
    }
}

impl TryFrom<Money> for protocol::Money {
    type Error = CarboyError;

    fn try_from(money: Money) -> Result<Self, CarboyError> {
        Ok(Self::new(money.minor, id(&money.currency)?))
    }
}

impl TryFrom<DeliveredLine> for core::DeliveredLine {
    type Error = CarboyError;

    fn try_from(line: DeliveredLine) -> Result<Self, CarboyError> {
        Ok(Self { product: id(&line.product)?, delivered: line.delivered, empties: line.empties })
    }
}

impl TryFrom<CustomerRow> for core::CustomerRow {
    type Error = CarboyError;

    fn try_from(row: CustomerRow) -> Result<Self, CarboyError> {
        let CustomerRow { customer, name, address, balance } = row;
        Ok(Self { customer: id(&customer)?, name, address, balance: balance.try_into()? })
    }
}

impl From<core::CustomerRow> for CustomerRow {
    fn from(row: core::CustomerRow) -> Self {
        let core::CustomerRow { customer, name, address, balance } = row;
        Self { customer: customer.to_string(), name, address, balance: balance.into() }
    }
}

impl From<core::Product> for Product {
    fn from(product: core::Product) -> Self {
        Self { code: product.code.into(), name: product.name, price: product.price.into() }
    }
}

impl From<core::Route> for Route {
    fn from(route: core::Route) -> Self {
        let core::Route { route, name, stops, visited } = route;
        Self { route: route.to_string(), name, stops, visited }
    }
}

impl From<core::Stop> for Stop {
    fn from(stop: core::Stop) -> Self {
        let core::Stop { customer, visit, settled } = stop;
        Self { customer: customer.into(), visit: visit.map(Into::into), settled }
    }
}

impl From<core::Value> for Value {
    fn from(value: core::Value) -> Self {
        Self { value: value.value, role: value.role.into(), at: value.at.0 }
    }
}

impl From<core::Customer> for Customer {
    fn from(customer: core::Customer) -> Self {
        let conflict = |(field, values): (protocol::Field, _)| Conflict {
            field: field.into(),
            values: list::<core::Value, _>(values),
        };
        Self {
            customer: customer.customer.to_string(),
            name: customer.name,
            phone: customer.phone,
            address: customer.address,
            note: customer.note,
            balance: customer.balance.into(),
            unsettled: customer.unsettled.into(),
            conflicts: customer.conflicts.into_iter().map(conflict).collect(),
        }
    }
}

impl From<core::Receipt> for Receipt {
    fn from(receipt: core::Receipt) -> Self {
        Self { txn: receipt.txn.to_string(), id: receipt.id, customer: receipt.customer.into() }
    }
}

impl From<core::HistoryLine> for HistoryLine {
    fn from(line: core::HistoryLine) -> Self {
        Self {
            txn: line.txn.to_string(),
            kind: line.kind,
            amount: line.amount.into(),
            note: line.note,
            role: line.role.into(),
            at: line.at.0,
            settled: line.settled,
        }
    }
}

impl From<core::WaitingItem> for WaitingItem {
    fn from(item: core::WaitingItem) -> Self {
        let core::WaitingItem { id, txn, kind, customer_name, at } = item;
        Self { id, txn: txn.to_string(), kind, customer_name, at: at.0 }
    }
}

impl From<core::AttentionItem> for AttentionItem {
    fn from(item: core::AttentionItem) -> Self {
        let core::AttentionItem { id, kind, customer_name, reason, detail, body } = item;
        Self { id, kind, customer_name, reason, detail, body }
    }
}

impl From<core::SyncState> for SyncState {
    fn from(state: core::SyncState) -> Self {
        match state {
            core::SyncState::Idle => Self::Idle,
            core::SyncState::Sending => Self::Sending,
            core::SyncState::Offline => Self::Offline,
            core::SyncState::Waiting(why) => Self::Waiting { why },
            core::SyncState::NeedsSignIn => Self::NeedsSignIn,
            core::SyncState::NeedsUpgrade => Self::NeedsUpgrade,
        }
    }
}

impl From<core::Status> for Status {
    fn from(status: core::Status) -> Self {
        Self {
            pending: status.pending,
            oldest_pending: status.oldest_pending.map(|at| at.0),
            attention: status.attention,
            state: status.state.into(),
            last_contact: status.last_contact.map(|at| at.0),
        }
    }
}

impl From<core::SyncReport> for SyncReport {
    fn from(report: core::SyncReport) -> Self {
        Self { settled: report.settled, rejected: report.rejected, status: report.status.into() }
    }
}

impl From<protocol::wire::EnrolReply> for Enrolment {
    fn from(reply: protocol::wire::EnrolReply) -> Self {
        Self {
            token: reply.token,
            device: reply.device.to_string(),
            account: reply.account.to_string(),
            account_name: reply.account_name,
            plant: reply.plant.to_string(),
            plant_name: reply.plant_name,
            currency: reply.currency.to_string(),
        }
    }
}
