//! Mutations in words, for ledgers and lists.

use super::amount::signed;
use super::text::Lang;
use crate::store::{LedgerRow, NotApplied};
use carboy_protocol::mutation::Parsed;
use carboy_protocol::wire::Rejection;
use carboy_protocol::{
    Action, Currency, CustomerId, DeliveryLine, FailReason, Field, Money, Photo, Progress, Role, StockLine,
    TxnId,
};
use std::collections::BTreeMap;

/// What a mutation's bytes say was done.
pub(super) fn in_words(lang: Lang, body: &str) -> String {
    match Parsed::of(body) {
        Parsed::Known(mutation) => action(lang, &mutation.action),
        Parsed::Unknown { .. } => lang.text("record-unknown"),
        Parsed::Malformed { .. } => lang.text("record-unreadable"),
    }
}

fn action(lang: Lang, action: &Action) -> String {
    let with = |id: &str, what: String| lang.with(id, &[("what", what.into())]);
    match action {
        Action::ConfirmDelivery { lines, .. } => with("record-delivery", delivered(lang, lines)),
        Action::CollectCash { amount, .. } => with("record-cash", signed(lang, *amount, false)),
        Action::UpdateProfile { edit, .. } => with("record-profile", fields(lang, &edit.changes)),
        Action::FailDelivery { reason, .. } => with("record-failed", fail_reason(lang, *reason)),
        Action::NoteProgress { progress, .. } => lang.text(match progress {
            Progress::OnTheWay => "record-on-the-way",
            Progress::Arrived => "record-arrived",
            Progress::Skipped => "record-skipped",
        }),
        Action::AddCustomer { fields: values, .. } => with("record-new-customer", fields(lang, values)),
        Action::StartShift { .. } => lang.text("record-shift-started"),
        Action::FinishShift {} => lang.text("record-shift-finished"),
        Action::LoadStock { lines } => with("record-loaded", stock(lang, lines)),
        Action::ReturnStock { lines } => with("record-given-back", stock(lang, lines)),
        Action::HandInCash { amount, .. } => with("record-handed-in", signed(lang, *amount, false)),
        Action::Withdraw { .. } => lang.text("record-withdrawal"),
        Action::Accept { .. } => lang.text("record-acceptance"),
        Action::AdjustBalance { amount, .. } => with("record-adjusted-by", signed(lang, *amount, true)),
        Action::SetBalance { seen, target, .. } => {
            let [seen, target] = [seen, target].map(|money| signed(lang, *money, false));
            lang.with("record-set", &[("target", target.into()), ("seen", seen.into())])
        }
    }
}

fn delivered(lang: Lang, lines: &[DeliveryLine]) -> String {
    let line = |line: &DeliveryLine| {
        let id = if line.empties == 0 { "record-bottles" } else { "record-bottles-and-back" };
        let product = line.product.to_string();
        let (count, empties) = (line.delivered.into(), line.empties.into());
        lang.with(id, &[("count", count), ("product", product.into()), ("empties", empties)])
    };
    listed(lang, lines.iter().map(line))
}

fn stock(lang: Lang, lines: &[StockLine]) -> String {
    let line = |line: &StockLine| {
        let id = match (line.full, line.empty) {
            (_, 0) => "record-bottles",
            (0, _) => "record-empty",
            _ => "record-full-and-empty",
        };
        let product = line.product.to_string();
        let (count, empties) = (line.full.into(), line.empty.into());
        lang.with(id, &[("count", count), ("product", product.into()), ("empties", empties)])
    };
    listed(lang, lines.iter().map(line))
}

fn fields(lang: Lang, values: &BTreeMap<Field, String>) -> String {
    listed(
        lang,
        values.iter().map(|(field, value)| {
            let (field, value) = (label(lang, *field).into(), value.as_str().into());
            lang.with("record-field", &[("field", field), ("value", value)])
        }),
    )
}

fn listed(lang: Lang, parts: impl Iterator<Item = String>) -> String {
    parts.collect::<Vec<_>>().join(&lang.text("record-separator"))
}

/// What a ledger line's mutation did; its amount stands beside it. `taken_back` is what it withdrew, if it did.
pub(super) fn in_ledger(lang: Lang, body: &str, taken_back: Option<&str>) -> String {
    if let Some(taken_back) = taken_back {
        return lang.with("record-withdrawn", &[("what", in_ledger(lang, taken_back, None).into())]);
    }
    match Parsed::of(body) {
        Parsed::Known(mutation) => match &mutation.action {
            Action::CollectCash { .. } => lang.text("record-cash-line"),
            Action::AdjustBalance { .. } => lang.text("record-adjusted"),
            other => action(lang, other),
        },
        Parsed::Unknown { .. } | Parsed::Malformed { .. } => in_words(lang, body),
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
pub(super) fn dealt_with(lang: Lang, row: &NotApplied) -> Option<String> {
    let by = known(row.closed_by.as_ref()?);
    let is_withdrawn = match by.filter(|action| action.target() == Some(row.txn)) {
        Some(action) => matches!(action, Action::Withdraw { .. }),
        None => return Some(lang.text("dealt-corrected")),
    };
    Some(lang.text(match (is_withdrawn, row.role) {
        (true, Role::Rider) => "dealt-withdrawn-by-rider",
        (true, Role::Manager) => "dealt-withdrawn-by-manager",
        (false, Role::Rider) => "dealt-accepted-by-rider",
        (false, Role::Manager) => "dealt-accepted-by-manager",
    }))
}

/// Why this line is on the ledger: the reason or reference given with it.
pub(super) fn why(lang: Lang, row: &LedgerRow) -> Option<String> {
    let quoted = |text: String| lang.with("record-reason", &[("reason", text.into())]);
    match known(&row.body)? {
        Action::ConfirmDelivery { proof, .. } => {
            proof.map(|proof| lang.with("record-proof", &[("proof", proof.into())]))
        }
        Action::AdjustBalance { reason, .. } | Action::SetBalance { reason, .. } => Some(quoted(reason)),
        Action::Withdraw { reason, .. } => reason.map(quoted),
        _ => None,
    }
}

/// For a balance that was set: why the result is another one than wanted, if it is.
pub(super) fn why_not_the_target(lang: Lang, row: &LedgerRow, currency: Currency) -> Option<String> {
    let Some(Action::SetBalance { seen, target, .. }) = known(&row.body) else { return None };
    let money = |minor, always| signed(lang, Money::new(minor, currency), always).into();
    let meanwhile = row.after.checked_sub(row.amount)?.checked_sub(seen.minor)?;
    (meanwhile != 0).then(|| {
        lang.with(
            "record-not-the-target",
            &[
                ("after", money(row.after, false)),
                ("target", money(target.minor, false)),
                ("meanwhile", money(meanwhile, true)),
                ("seen", money(seen.minor, false)),
                ("difference", money(row.amount, true)),
            ],
        )
    })
}

pub(super) fn fail_reason(lang: Lang, reason: FailReason) -> String {
    lang.text(match reason {
        FailReason::Closed => "fail-closed",
        FailReason::Absent => "fail-absent",
        FailReason::Refused => "fail-refused",
        FailReason::NoAccess => "fail-no-access",
        FailReason::NoStock => "fail-no-stock",
        FailReason::Other => "fail-other",
    })
}

pub(super) fn rejection(lang: Lang, reason: Rejection) -> String {
    lang.text(match reason {
        Rejection::Invalid => "rejection-invalid",
        Rejection::UnknownCustomer => "rejection-unknown-customer",
        Rejection::CurrencyMismatch => "rejection-currency",
        Rejection::Forbidden => "rejection-forbidden",
        Rejection::TxnReused => "rejection-id-reused",
        Rejection::Tampered => "rejection-tampered",
        Rejection::UnknownRecord => "rejection-unknown-record",
        Rejection::AlreadyWithdrawn => "rejection-withdrawn",
        Rejection::NotReversible => "rejection-not-reversible",
        Rejection::Other => "rejection-other",
    })
}

pub(super) fn label(lang: Lang, field: Field) -> String {
    lang.text(match field {
        Field::Name => "field-name",
        Field::Phone => "field-phone",
        Field::Address => "field-address",
        Field::Note => "field-note",
    })
}
