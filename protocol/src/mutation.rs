//! Mutations: the things a person does, each immutable and with everything needed to apply it.
//!
//! A mutation is JSON. Its bytes are fixed when it is first written: they are what the outbox keeps, what the
//! hash chain covers and what the server compares when the same [`TxnId`] comes again. The place in a history
//! (actor and seq) is not part of those bytes, so a restored phone can restamp what it has not settled yet.

use crate::{Currency, CustomerId, Field, Money, MoneyError, ProductCode, Timestamp, TxnId, VectorClock};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The version of the mutation format that this code writes and the newest that it reads.
pub const VERSION: u16 = 1;

/// The longest text in a mutation, in characters.
pub const MAX_TEXT: usize = 500;

/// The most bottles, full or empty, in one line of a delivery.
pub const MAX_BOTTLES: i32 = 10_000;

/// The most lines in one delivery.
pub const MAX_LINES: usize = 50;

/// The largest amount in one mutation, in minor units: far above any day's cash, far below 64 bits, so that a
/// ledger of millions of entries still sums.
pub const MAX_MINOR: i64 = 1_000_000_000_000;

/// One thing a person did.
///
/// ```
/// use carboy_protocol::{Action, Mutation, Timestamp, TxnId};
/// let text = r#"{"v":1,"txn":"01936000-0000-7000-8000-000000000001","at":1732350000000,
///     "kind":"collect_cash","customer":"01936000-0000-7000-8000-000000000002",
///     "amount":{"minor":3000,"currency":"KES"}}"#;
/// let mutation = Mutation::parse(text).unwrap();
/// assert_eq!(mutation.action.kind(), "collect_cash");
/// assert_eq!(mutation.action.ledger_amount().unwrap().unwrap().to_string(), "KES -30.00");
/// ```
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Mutation {
    /// Version of the format, see [`VERSION`].
    pub v: u16,
    /// The idempotency key.
    pub txn: TxnId,
    /// What the device's clock said: evidence, never used for ordering.
    pub at: Timestamp,
    /// What was done.
    #[serde(flatten)]
    pub action: Action,
}

/// What was done. The name of a variant in snake case is its `kind` on the wire.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Action {
    /// Bottles were handed over, and empties taken back. The customer owes the sum of the lines.
    ConfirmDelivery {
        /// Who received them.
        customer: CustomerId,
        /// Bottles by product; at least one line.
        lines: Vec<DeliveryLine>,
        /// The currency of the lines' prices.
        currency: Currency,
        /// A reference to a proof, for example a signature's or a photo's number.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        proof: Option<String>,
    },
    /// The rider took cash from a customer, who owes that much less.
    CollectCash {
        /// Who paid.
        customer: CustomerId,
        /// How much, more than zero.
        amount: Money,
    },
    /// Fields of a customer's profile got new values.
    UpdateProfile {
        /// Whose profile.
        customer: CustomerId,
        /// The new values; at least one.
        changes: BTreeMap<Field, String>,
        /// The server's clock of the profile as the writer had seen it. What the writer's own history holds
        /// before this mutation counts as seen too and is not repeated here.
        context: VectorClock,
        /// One more than the greatest Lamport counter of the profile that the writer had seen.
        lamport: u64,
    },
    /// A stop was visited in vain.
    FailDelivery {
        /// Who was to be delivered to.
        customer: CustomerId,
        /// Why it failed.
        reason: FailReason,
        /// More about it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<String>,
    },
    /// A manager put an amount on a customer's ledger.
    AdjustBalance {
        /// Whose ledger.
        customer: CustomerId,
        /// The signed amount, not zero: positive means the customer owes more.
        amount: Money,
        /// Why, for the ledger's readers.
        reason: String,
    },
    /// A manager set a customer's balance. What is put on the ledger is the difference to the balance that the
    /// manager saw, so that a payment still on its way is not undone.
    SetBalance {
        /// Whose ledger.
        customer: CustomerId,
        /// The balance that the manager saw.
        seen: Money,
        /// The balance that he wants instead.
        target: Money,
        /// Why, for the ledger's readers.
        reason: String,
    },
}

/// The kinds that this version knows, as they stand on the wire.
pub const KINDS: [&str; 6] =
    ["confirm_delivery", "collect_cash", "update_profile", "fail_delivery", "adjust_balance", "set_balance"];

/// Bottles of one product, handed over and taken back.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct DeliveryLine {
    /// Which product.
    pub product: ProductCode,
    /// Full bottles handed over, 0 to [`MAX_BOTTLES`].
    pub delivered: i32,
    /// Empty bottles taken back, 0 to [`MAX_BOTTLES`].
    pub empties: i32,
    /// What one full bottle cost at that moment, in minor units, 0 to [`MAX_MINOR`].
    pub unit_price: i64,
}

/// Why a delivery failed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailReason {
    /// The shop was closed.
    Closed,
    /// Nobody was there.
    Absent,
    /// The customer did not want it.
    Refused,
    /// The place could not be reached.
    NoAccess,
    /// The rider had not enough stock left.
    NoStock,
    /// Something else, told in the note.
    Other,
}

/// Why a mutation cannot be accepted as it stands.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Invalid {
    /// The text is not JSON of the expected form.
    #[error("malformed mutation: {0}")]
    Malformed(String),
    /// A number of bottles is out of range.
    #[error("{what} out of range: {value} (0 to {MAX_BOTTLES})")]
    Bottles {
        /// `bottles delivered` or `empties`.
        what: &'static str,
        /// The number given.
        value: i32,
    },
    /// A delivery has no lines, too many, or none with a bottle in it.
    #[error("a delivery needs 1 to {MAX_LINES} lines with at least one bottle, not {0} lines")]
    Lines(usize),
    /// An amount has the wrong sign, is zero, or is too large.
    #[error("{what} out of range: {minor} minor units (limit {MAX_MINOR})")]
    Amount {
        /// Which amount.
        what: &'static str,
        /// The amount given.
        minor: i64,
    },
    /// A text is empty where it must not be, or too long.
    #[error("{what} has {length} characters ({min} to {MAX_TEXT})")]
    Text {
        /// Which text.
        what: &'static str,
        /// Its length in characters.
        length: usize,
        /// The least length allowed.
        min: usize,
    },
    /// A profile update changes nothing.
    #[error("a profile update needs at least one changed field")]
    NoChanges,
    /// Amounts do not add up.
    #[error(transparent)]
    Money(#[from] MoneyError),
}

/// A text as a mutation, as far as this version can read it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Parsed {
    /// A mutation that this version knows. It is not validated yet.
    Known(Mutation),
    /// A mutation of a newer version or of a kind unknown here: to be kept, not judged.
    Unknown {
        /// Its idempotency key.
        txn: TxnId,
    },
    /// Not a mutation.
    Malformed {
        /// Its idempotency key, or [`TxnId::of_unreadable`] where none can be read.
        txn: TxnId,
        /// What is wrong with it.
        error: Invalid,
    },
}

impl Parsed {
    /// Reads `text`, whatever it is.
    pub fn of(text: &str) -> Self {
        #[derive(Deserialize)]
        struct Head {
            v: u16,
            txn: TxnId,
            kind: String,
        }
        // Most are known: read once, and look closer only where that fails.
        match serde_json::from_str::<Mutation>(text) {
            Ok(mutation) if mutation.v == VERSION => Self::Known(mutation),
            other => match serde_json::from_str::<Head>(text) {
                Ok(head) if head.v > VERSION || !KINDS.contains(&head.kind.as_str()) => {
                    Self::Unknown { txn: head.txn }
                }
                head => {
                    let txn = head.map_or_else(|_| TxnId::of_unreadable(text.as_bytes()), |head| head.txn);
                    let why = other.map_or_else(|e| e.to_string(), |m| format!("unknown version {}", m.v));
                    Self::Malformed { txn, error: Invalid::Malformed(why) }
                }
            },
        }
    }
}

impl Mutation {
    /// Reads and validates a mutation of this version.
    ///
    /// # Errors
    /// [`Invalid`], with the values that are wrong.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let mutation: Self = serde_json::from_str(text).map_err(|e| Invalid::Malformed(e.to_string()))?;
        mutation.action.validate()?;
        Ok(mutation)
    }
}

impl Action {
    /// The kind as it stands on the wire.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::ConfirmDelivery { .. } => "confirm_delivery",
            Self::CollectCash { .. } => "collect_cash",
            Self::UpdateProfile { .. } => "update_profile",
            Self::FailDelivery { .. } => "fail_delivery",
            Self::AdjustBalance { .. } => "adjust_balance",
            Self::SetBalance { .. } => "set_balance",
        }
    }

    /// The customer it is about.
    pub fn customer(&self) -> CustomerId {
        match self {
            Self::ConfirmDelivery { customer, .. }
            | Self::CollectCash { customer, .. }
            | Self::UpdateProfile { customer, .. }
            | Self::FailDelivery { customer, .. }
            | Self::AdjustBalance { customer, .. }
            | Self::SetBalance { customer, .. } => *customer,
        }
    }

    /// Whether only a manager may do it.
    pub fn needs_manager(&self) -> bool {
        matches!(self, Self::AdjustBalance { .. } | Self::SetBalance { .. })
    }

    /// What it puts on the customer's ledger: positive means the customer owes more. `None` for actions that do
    /// not touch the ledger.
    ///
    /// # Errors
    /// [`MoneyError`] if the amounts do not add up.
    pub fn ledger_amount(&self) -> Result<Option<Money>, MoneyError> {
        match self {
            Self::ConfirmDelivery { lines, currency, .. } => {
                let total = lines.iter().try_fold(Money::new(0, *currency), |sum, line| {
                    let price = line.unit_price.checked_mul(i64::from(line.delivered)).ok_or(
                        MoneyError::Overflow { left: line.unit_price, right: i64::from(line.delivered) },
                    )?;
                    sum.plus(Money::new(price, *currency))
                })?;
                Ok(Some(total))
            }
            Self::CollectCash { amount, .. } => Money::new(0, amount.currency).minus(*amount).map(Some),
            Self::AdjustBalance { amount, .. } => Ok(Some(*amount)),
            Self::SetBalance { seen, target, .. } => target.minus(*seen).map(Some),
            Self::UpdateProfile { .. } | Self::FailDelivery { .. } => Ok(None),
        }
    }

    /// Checks every value against its range. Whether the customer exists, and whether the currency is the
    /// plant's, only a store can tell.
    ///
    /// # Errors
    /// [`Invalid`], with the value that is wrong.
    pub fn validate(&self) -> Result<(), Invalid> {
        match self {
            Self::ConfirmDelivery { lines, proof, .. } => {
                validate_lines(lines)?;
                optional_text("proof", proof.as_deref())?;
            }
            Self::CollectCash { amount, .. } => amount_in("cash", amount.minor, 1)?,
            Self::UpdateProfile { changes, .. } => {
                if changes.is_empty() {
                    return Err(Invalid::NoChanges);
                }
                for (field, value) in changes {
                    text(field.name(), value, usize::from(*field == Field::Name))?;
                }
            }
            Self::FailDelivery { note, .. } => optional_text("note", note.as_deref())?,
            Self::AdjustBalance { amount, reason, .. } => {
                if amount.minor == 0 {
                    return Err(Invalid::Amount { what: "adjustment", minor: 0 });
                }
                amount_in("adjustment", amount.minor, -MAX_MINOR)?;
                text("reason", reason, 1)?;
            }
            Self::SetBalance { seen, target, reason, .. } => {
                // A balance is a sum of many amounts, so what was seen may be larger than one amount.
                amount_in("balance", target.minor, -MAX_MINOR)?;
                amount_in("difference", target.minus(*seen)?.minor, -2 * MAX_MINOR)?;
                text("reason", reason, 1)?;
            }
        }
        self.ledger_amount()?;
        Ok(())
    }
}

fn validate_lines(lines: &[DeliveryLine]) -> Result<(), Invalid> {
    for line in lines {
        for (what, value) in [("bottles delivered", line.delivered), ("empties", line.empties)] {
            if !(0..=MAX_BOTTLES).contains(&value) {
                return Err(Invalid::Bottles { what, value });
            }
        }
        amount_in("unit price", line.unit_price, 0)?;
    }
    let bottles = lines.iter().any(|line| line.delivered > 0 || line.empties > 0);
    if bottles && lines.len() <= MAX_LINES { Ok(()) } else { Err(Invalid::Lines(lines.len())) }
}

fn amount_in(what: &'static str, minor: i64, min: i64) -> Result<(), Invalid> {
    if (min..=MAX_MINOR).contains(&minor) { Ok(()) } else { Err(Invalid::Amount { what, minor }) }
}

fn text(what: &'static str, value: &str, min: usize) -> Result<(), Invalid> {
    let length = value.trim().chars().count();
    if (min..=MAX_TEXT).contains(&length) { Ok(()) } else { Err(Invalid::Text { what, length, min }) }
}

fn optional_text(what: &'static str, value: Option<&str>) -> Result<(), Invalid> {
    value.map_or(Ok(()), |value| text(what, value, 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = r#""v":1,"txn":"01936000-0000-7000-8000-000000000001","at":5"#;
    const CUSTOMER: &str = r#""customer":"01936000-0000-7000-8000-000000000002""#;

    fn error(rest: &str) -> String {
        Mutation::parse(&format!("{{{HEAD},{CUSTOMER},{rest}}}")).unwrap_err().to_string()
    }

    fn delivery(delivered: i32, empties: i32, unit_price: i64) -> String {
        format!(
            r#""kind":"confirm_delivery","currency":"KES","lines":[
               {{"product":"20L","delivered":{delivered},"empties":{empties},"unit_price":{unit_price}}}]"#
        )
    }

    #[test]
    fn numbers_out_of_range_are_refused_with_their_values() {
        assert_eq!(error(&delivery(-3, 0, 10)), "bottles delivered out of range: -3 (0 to 10000)");
        assert_eq!(error(&delivery(1, 10_001, 10)), "empties out of range: 10001 (0 to 10000)");
        assert_eq!(
            error(&delivery(1, 0, -1)),
            "unit price out of range: -1 minor units (limit 1000000000000)"
        );
        assert_eq!(
            error(&delivery(0, 0, 10)),
            "a delivery needs 1 to 50 lines with at least one bottle, not 1 lines"
        );
        for minor in [0, -5, MAX_MINOR + 1] {
            let cash = format!(r#""kind":"collect_cash","amount":{{"minor":{minor},"currency":"KES"}}"#);
            assert_eq!(error(&cash), format!("cash out of range: {minor} minor units (limit 1000000000000)"));
        }
    }

    #[test]
    fn texts_too_long_or_empty_are_refused_with_their_length() {
        let long = "x".repeat(501);
        let note = format!(r#""kind":"fail_delivery","reason":"other","note":"{long}""#);
        assert_eq!(error(&note), "note has 501 characters (1 to 500)");
        let name = r#""kind":"update_profile","changes":{"name":" "},"context":{},"lamport":1"#;
        assert_eq!(error(name), "name has 0 characters (1 to 500)");
        let none = r#""kind":"update_profile","changes":{},"context":{},"lamport":1"#;
        assert_eq!(error(none), "a profile update needs at least one changed field");
    }

    #[test]
    fn setting_a_balance_in_another_currency_than_the_one_seen_is_refused() {
        let set = r#""kind":"set_balance","reason":"r","seen":{"minor":1,"currency":"KES"},
                     "target":{"minor":1,"currency":"UGX"}"#;
        assert_eq!(error(set), "currencies differ: UGX and KES");
    }

    #[test]
    fn a_delivery_adds_the_sum_of_its_lines_to_what_is_owed_and_cash_takes_away() {
        let parse = |rest: &str| Mutation::parse(&format!("{{{HEAD},{CUSTOMER},{rest}}}")).unwrap();
        let owed = parse(&delivery(3, 2, 15_000)).action.ledger_amount().unwrap().unwrap();
        assert_eq!(owed.minor, 45_000);
        let cash = parse(r#""kind":"collect_cash","amount":{"minor":70,"currency":"KES"}"#);
        assert_eq!(cash.action.ledger_amount().unwrap().unwrap().minor, -70);
    }

    #[test]
    fn setting_a_balance_appends_the_difference_to_the_balance_seen() {
        let kes = |minor| Money::new(minor, "KES".parse().unwrap());
        let customer = CustomerId::from_bytes([1; 16]);
        let set = Action::SetBalance { customer, seen: kes(100), target: kes(120), reason: "agreed".into() };
        assert_eq!(set.ledger_amount().unwrap(), Some(kes(20)));
    }

    #[test]
    fn a_newer_version_or_an_unknown_kind_is_kept_and_not_judged() {
        let txn = "01936000-0000-7000-8000-000000000001".parse().unwrap();
        let newer = format!(r#"{{{},"kind":"collect_cash"}}"#, HEAD.replace(r#""v":1"#, r#""v":2"#));
        assert_eq!(Parsed::of(&newer), Parsed::Unknown { txn });
        assert_eq!(Parsed::of(&format!(r#"{{{HEAD},"kind":"sing"}}"#)), Parsed::Unknown { txn });
    }

    #[test]
    fn what_cannot_be_read_is_malformed_under_a_key_of_its_own() {
        for text in ["", "{", "[]", "null", r#"{"v":1}"#] {
            assert!(
                matches!(Parsed::of(text), Parsed::Malformed { txn, .. } if txn == TxnId::of_unreadable(text.as_bytes())),
                "{text}"
            );
        }
        let known = format!(r#"{{{HEAD},"kind":"collect_cash"}}"#);
        assert!(
            matches!(Parsed::of(&known), Parsed::Malformed { txn, .. } if txn.to_string().ends_with("01"))
        );
        let old = known.replace(r#""v":1"#, r#""v":0"#);
        assert!(matches!(Parsed::of(&old), Parsed::Malformed { .. }));
    }
}
