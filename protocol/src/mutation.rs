//! Mutations: the things a person does, each immutable and with everything needed to apply it.
//!
//! A mutation is JSON. Its bytes are fixed when it is first written: they are what the outbox keeps, what the
//! hash chain covers and what the server compares when the same [`TxnId`] comes again. The place in a history
//! (actor and seq) is not part of those bytes, so a restored phone can restamp what it has not settled yet.

use crate::action::KINDS;
use crate::{Action, MoneyError, Timestamp, TxnId};
use serde::{Deserialize, Serialize};

/// The version of the mutation format that this code writes and the newest that it reads.
pub const VERSION: u16 = 1;

/// The longest text in a mutation, in characters; blanks at its ends are not counted.
pub const MAX_TEXT: usize = 500;

/// The most bottles, full or empty, in one line of a delivery or stock record.
pub const MAX_BOTTLES: i32 = 10_000;

/// The most lines in one delivery or stock record.
pub const MAX_LINES: usize = 50;

/// The largest amount in one mutation, in minor units: far above any day's cash, far below 64 bits, so that a
/// ledger of millions of entries still sums.
pub const MAX_MINOR: i64 = 1_000_000_000_000;

/// The most photos with one delivery.
pub const MAX_PHOTOS: usize = 5;

/// The largest photo, in bytes.
pub const MAX_PHOTO: u64 = 10 * 1024 * 1024;

/// One thing a person did.
///
/// ```
/// use carboy_protocol::{Action, Mutation, Timestamp, TxnId};
/// let text = r#"{"v":1,"txn":"01936000-0000-7000-8000-000000000001","at":1732350000000,
///     "kind":"collect_cash","customer":"01936000-0000-7000-8000-000000000002",
///     "amount":{"minor":3000,"currency":"KES"}}"#;
/// let mutation = Mutation::parse(text)?;
/// assert_eq!(mutation.action.kind(), "collect_cash");
/// assert_eq!(mutation.action.ledger_amount()?.map(|owed| owed.minor), Some(-3_000));
/// # Ok::<(), carboy_protocol::Invalid>(())
/// ```
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Mutation {
    /// Version of the format, see [`VERSION`].
    pub v: u16,
    /// The idempotency key.
    pub txn: TxnId,
    /// What the device's clock said: evidence, never used for ordering.
    pub at: Timestamp,
    /// The author's earlier mutation that was not accepted, and whose place this one takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaces: Option<TxnId>,
    /// What was done.
    #[serde(flatten)]
    pub action: Action,
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
        /// `bottles delivered`, `full bottles` or `empties`.
        what: &'static str,
        /// The number given.
        value: i32,
    },
    /// A record has no lines, too many, or none with a bottle in it.
    #[error("{what} needs 1 to {MAX_LINES} lines with at least one bottle, not {count} lines")]
    Lines {
        /// `a delivery` or `a stock record`.
        what: &'static str,
        /// How many lines it has.
        count: usize,
    },
    /// A delivery has too many photos.
    #[error("{0} photos (0 to {MAX_PHOTOS})")]
    Photos(usize),
    /// A photo is empty or too large.
    #[error("a photo of {0} bytes (1 to {MAX_PHOTO})")]
    PhotoSize(u64),
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
    /// A text holds a NUL character, which a database may not keep.
    #[error("{0} holds a NUL character")]
    Nul(&'static str),
    /// A profile update changes nothing.
    #[error("a profile update needs at least one changed field")]
    NoChanges,
    /// Amounts do not add up.
    #[error(transparent)]
    Money(#[from] MoneyError),
}

/// A text as a mutation, as far as this version can read it.
///
/// ```
/// use carboy_protocol::mutation::Parsed;
/// let txn = "01936000-0000-7000-8000-000000000001";
/// let known = format!(r#"{{"v":1,"txn":"{txn}","at":0,"kind":"finish_shift"}}"#);
/// assert!(matches!(Parsed::of(&known), Parsed::Known(_)));
/// let newer = known.replace("finish_shift", "take_break");
/// assert!(matches!(Parsed::of(&newer), Parsed::Unknown { txn: found } if found.to_string() == txn));
/// assert!(matches!(Parsed::of("{damaged"), Parsed::Malformed { .. }));
/// ```
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
    /// The idempotency key.
    pub fn txn(&self) -> TxnId {
        match self {
            Self::Known(mutation) => mutation.txn,
            Self::Unknown { txn } | Self::Malformed { txn, .. } => *txn,
        }
    }

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
            #[cfg(feature = "planted")]
            Ok(mutation) if crate::planted::is_unknown(mutation.action.kind()) => {
                Self::Unknown { txn: mutation.txn }
            }
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
        if mutation.v != VERSION {
            return Err(Invalid::Malformed(format!("unknown version {}", mutation.v)));
        }
        mutation.action.validate()?;
        Ok(mutation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CustomerId, Money};

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
    fn a_photo_of_more_than_ten_megabytes_is_refused_with_its_size() {
        let hash = "ab".repeat(32);
        let with = |bytes: u64| {
            let photo = format!(r#""photos":[{{"hash":"{hash}","bytes":{bytes}}}]"#);
            Mutation::parse(&format!("{{{HEAD},{CUSTOMER},{},{photo}}}", delivery(1, 0, 10)))
        };
        assert!(with(10_485_760).is_ok());
        assert_eq!(with(10_485_761).unwrap_err().to_string(), "a photo of 10485761 bytes (1 to 10485760)");
    }

    #[test]
    fn texts_too_long_or_empty_are_refused_with_their_length() {
        let long = "x".repeat(501);
        let note = |text: &str| format!(r#""kind":"fail_delivery","reason":"other","note":"{text}""#);
        assert_eq!(error(&note(&long)), "note has 501 characters (1 to 500)");
        assert_eq!(error(&note(&format!("{}.", " ".repeat(500)))), "note has 501 characters (1 to 500)");
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
    fn a_mutation_of_this_version_is_known_and_the_same_in_a_newer_one_is_not() {
        let text = format!(r#"{{{HEAD},"kind":"finish_shift"}}"#);
        let mutation = Mutation::parse(&text).unwrap();
        assert_eq!(Parsed::of(&text), Parsed::Known(mutation.clone()));
        assert_eq!(Parsed::of(&text).txn(), mutation.txn);
        let newer = text.replace(r#""v":1"#, r#""v":2"#);
        assert_eq!(Parsed::of(&newer), Parsed::Unknown { txn: mutation.txn });
        let why = Invalid::Malformed("unknown version 0".to_owned());
        let older = text.replace(r#""v":1"#, r#""v":0"#);
        assert_eq!(Parsed::of(&older), Parsed::Malformed { txn: mutation.txn, error: why });
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
