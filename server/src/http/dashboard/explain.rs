//! Mutations in words, for ledgers and lists.

use super::amount::signed;
use crate::store::LedgerRow;
use carboy_protocol::mutation::Parsed;
use carboy_protocol::wire::Rejection;
use carboy_protocol::{Action, Currency, CustomerId, FailReason, Field, Money};

/// What a mutation's bytes say was done.
pub(super) fn in_words(body: &str) -> String {
    match Parsed::of(body) {
        Parsed::Known(mutation) => action(&mutation.action),
        Parsed::Unknown { .. } => "Something that this version does not know yet".to_owned(),
        Parsed::Malformed { .. } => "Something that cannot be read".to_owned(),
    }
}

fn action(action: &Action) -> String {
    match action {
        Action::ConfirmDelivery { lines, .. } => {
            let lines = lines.iter().map(|line| {
                let empties = if line.empties == 0 {
                    String::new()
                } else {
                    format!(", {} empties back", line.empties)
                };
                format!("{} × {}{empties}", line.delivered, line.product)
            });
            format!("Delivery: {}", lines.collect::<Vec<_>>().join("; "))
        }
        Action::CollectCash { amount, .. } => format!("Cash collected: {}", signed(*amount, false)),
        Action::UpdateProfile { changes, .. } => {
            let changes = changes.iter().map(|(field, value)| format!("{} “{value}”", field.name()));
            format!("Profile: {}", changes.collect::<Vec<_>>().join(", "))
        }
        Action::FailDelivery { reason, .. } => format!("Delivery failed: {}", fail_reason(*reason)),
        Action::AdjustBalance { amount, .. } => format!("Balance adjusted by {}", signed(*amount, true)),
        Action::SetBalance { seen, target, .. } => {
            format!("Balance set to {} (seen: {})", signed(*target, false), signed(*seen, false))
        }
    }
}

/// What a ledger line's mutation did; its amount stands beside it.
pub(super) fn in_ledger(body: &str) -> String {
    match Parsed::of(body) {
        Parsed::Known(mutation) => match &mutation.action {
            Action::CollectCash { .. } => "Cash collected".to_owned(),
            Action::AdjustBalance { .. } => "Balance adjusted".to_owned(),
            other => action(other),
        },
        Parsed::Unknown { .. } | Parsed::Malformed { .. } => in_words(body),
    }
}

/// Whom a mutation is about.
pub(super) fn customer(body: &str) -> Option<CustomerId> {
    match Parsed::of(body) {
        Parsed::Known(mutation) => Some(mutation.action.customer()),
        Parsed::Unknown { .. } | Parsed::Malformed { .. } => None,
    }
}

/// Why this line is on the ledger: the reason or reference given with it.
pub(super) fn why(row: &LedgerRow) -> Option<String> {
    match Parsed::of(&row.body) {
        Parsed::Known(mutation) => match mutation.action {
            Action::ConfirmDelivery { proof, .. } => proof.map(|proof| format!("Proof: {proof}")),
            Action::AdjustBalance { reason, .. } | Action::SetBalance { reason, .. } => {
                Some(format!("“{reason}”"))
            }
            Action::CollectCash { .. } | Action::UpdateProfile { .. } | Action::FailDelivery { .. } => None,
        },
        Parsed::Unknown { .. } | Parsed::Malformed { .. } => None,
    }
}

/// For a balance that was set: why the result is another one than wanted, if it is.
pub(super) fn why_not_the_target(row: &LedgerRow, currency: Currency) -> Option<String> {
    let Parsed::Known(mutation) = Parsed::of(&row.body) else { return None };
    let Action::SetBalance { seen, target, .. } = mutation.action else { return None };
    let money = |minor| Money::new(minor, currency);
    let meanwhile = row.after.checked_sub(row.amount)?.checked_sub(seen.minor)?;
    (meanwhile != 0).then(|| {
        format!(
            "The balance became {}, not {}, because {} came in after {} was seen. Nothing of that is lost: only \
             the difference, {}, went on the ledger.",
            signed(money(row.after), false),
            signed(target, false),
            signed(money(meanwhile), true),
            signed(seen, false),
            signed(money(row.amount), true),
        )
    })
}

pub(super) fn fail_reason(reason: FailReason) -> &'static str {
    match reason {
        FailReason::Closed => "closed",
        FailReason::Absent => "nobody there",
        FailReason::Refused => "refused",
        FailReason::NoAccess => "no access",
        FailReason::NoStock => "no stock left",
        FailReason::Other => "other",
    }
}

pub(super) fn rejection(reason: Rejection) -> &'static str {
    match reason {
        Rejection::Invalid => "not valid",
        Rejection::UnknownCustomer => "unknown customer",
        Rejection::CurrencyMismatch => "other currency",
        Rejection::Forbidden => "not allowed",
        Rejection::TxnReused => "id used twice",
        Rejection::Tampered => "changed on the phone",
        Rejection::Other => "other reason",
    }
}

pub(super) fn label(field: Field) -> &'static str {
    match field {
        Field::Name => "Name",
        Field::Phone => "Phone",
        Field::Address => "Address",
        Field::Note => "Note",
    }
}
