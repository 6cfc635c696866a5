//! Mutations in words, for ledgers and lists.

use super::amount::signed;
use crate::store::{LedgerRow, NotApplied};
use carboy_protocol::mutation::Parsed;
use carboy_protocol::wire::Rejection;
use carboy_protocol::{
    Action, Currency, CustomerId, FailReason, Field, Money, Photo, Progress, Role, StockLine, TxnId,
};
use std::collections::BTreeMap;

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
        Action::UpdateProfile { edit, .. } => format!("Profile: {}", fields(&edit.changes)),
        Action::FailDelivery { reason, .. } => format!("Delivery failed: {}", fail_reason(*reason)),
        Action::NoteProgress { progress, .. } => match progress {
            Progress::OnTheWay => "On the way there".to_owned(),
            Progress::Arrived => "Arrived there".to_owned(),
            Progress::Skipped => "Passed over this time".to_owned(),
        },
        Action::AddCustomer { fields: values, .. } => format!("New customer: {}", fields(values)),
        Action::StartShift { .. } => "Shift started".to_owned(),
        Action::FinishShift {} => "Shift finished".to_owned(),
        Action::LoadStock { lines } => format!("Loaded: {}", stock(lines)),
        Action::ReturnStock { lines } => format!("Given back to the plant: {}", stock(lines)),
        Action::HandInCash { amount, .. } => format!("Cash handed in: {}", signed(*amount, false)),
        Action::Withdraw { .. } => "An earlier record withdrawn".to_owned(),
        Action::Accept { .. } => "Left at an earlier record’s rejection".to_owned(),
        Action::AdjustBalance { amount, .. } => format!("Balance adjusted by {}", signed(*amount, true)),
        Action::SetBalance { seen, target, .. } => {
            format!("Balance set to {} (seen: {})", signed(*target, false), signed(*seen, false))
        }
    }
}

fn fields(values: &BTreeMap<Field, String>) -> String {
    let values = values.iter().map(|(field, value)| format!("{} “{value}”", field.name()));
    values.collect::<Vec<_>>().join(", ")
}

fn stock(lines: &[StockLine]) -> String {
    let lines = lines.iter().map(|line| match (line.full, line.empty) {
        (full, 0) => format!("{full} × {}", line.product),
        (0, empty) => format!("{empty} × {} empty", line.product),
        (full, empty) => format!("{full} × {}, {empty} empty", line.product),
    });
    lines.collect::<Vec<_>>().join("; ")
}

/// What a ledger line's mutation did; its amount stands beside it. `taken_back` is what it withdrew, if it did.
pub(super) fn in_ledger(body: &str, taken_back: Option<&str>) -> String {
    if let Some(taken_back) = taken_back {
        return format!("Withdrawn: {}", in_ledger(taken_back, None));
    }
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
    known(body)?.customer()
}

/// The earlier mutation that a mutation is about.
pub(super) fn target(body: &str) -> Option<TxnId> {
    known(body)?.target()
}

/// The photos that a mutation speaks of.
pub(super) fn photos(body: &str) -> Vec<Photo> {
    match known(body) {
        Some(Action::ConfirmDelivery { photos, .. }) => photos,
        _ => Vec::new(),
    }
}

fn known(body: &str) -> Option<Action> {
    match Parsed::of(body) {
        Parsed::Known(mutation) => Some(mutation.action),
        Parsed::Unknown { .. } | Parsed::Malformed { .. } => None,
    }
}

/// How its author dealt with a mutation that was not applied; `None` while nobody has.
pub(super) fn dealt_with(row: &NotApplied) -> Option<String> {
    let author = match row.role {
        Role::Rider => "the rider",
        Role::Manager => "the manager",
    };
    let by = known(row.closed_by.as_ref()?);
    Some(match by.filter(|action| action.target() == Some(row.txn)) {
        Some(Action::Withdraw { .. }) => format!("withdrawn by {author}"),
        Some(_) => format!("accepted by {author}"),
        None => "sent again as corrected".to_owned(),
    })
}

/// Why this line is on the ledger: the reason or reference given with it.
pub(super) fn why(row: &LedgerRow) -> Option<String> {
    match known(&row.body)? {
        Action::ConfirmDelivery { proof, .. } => proof.map(|proof| format!("Proof: {proof}")),
        Action::AdjustBalance { reason, .. } | Action::SetBalance { reason, .. } => {
            Some(format!("“{reason}”"))
        }
        Action::Withdraw { reason, .. } => reason.map(|reason| format!("“{reason}”")),
        _ => None,
    }
}

/// For a balance that was set: why the result is another one than wanted, if it is.
pub(super) fn why_not_the_target(row: &LedgerRow, currency: Currency) -> Option<String> {
    let Some(Action::SetBalance { seen, target, .. }) = known(&row.body) else { return None };
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
        Rejection::UnknownRecord => "unknown record",
        Rejection::AlreadyWithdrawn => "withdrawn already",
        Rejection::NotReversible => "cannot be taken back",
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
