//! Identifiers, and the device's time as evidence.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use uuid::Uuid;

/// A text that is not the identifier it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a valid {what}: {text:?}")]
pub struct InvalidId {
    /// Which identifier was expected, for example `customer id`.
    pub what: &'static str,
    /// The text that was given.
    pub text: String,
}

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(value_type = String, format = Uuid))]
        pub struct $name(pub Uuid);

        impl $name {
            /// The id with these sixteen bytes.
            pub const fn from_bytes(bytes: [u8; 16]) -> Self {
                Self(Uuid::from_bytes(bytes))
            }

            /// A version 7 UUID made of a time in milliseconds since 1970 and ten random bytes.
            ///
            /// The time only keeps neighbouring ids close together in an index; nothing is ever ordered by it.
            /// Time and randomness come from the caller; a time before 1970 counts as 1970.
            pub fn from_random(at: Timestamp, random: [u8; 10]) -> Self {
                let millis = u64::try_from(at.0).unwrap_or(0);
                Self(uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid())
            }

            /// The sixteen bytes, as stored in a database.
            pub const fn as_bytes(&self) -> &[u8; 16] {
                self.0.as_bytes()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                Uuid::try_parse(text).map(Self).map_err(|_| InvalidId { what: $what, text: text.to_owned() })
            }
        }
    };
}

uuid_id!(
    /// The idempotency key of one mutation. Made on the device, unique within a plant and account.
    ///
    /// ```
    /// use carboy_protocol::{Timestamp, TxnId};
    /// let random = [7; 10]; // of the system's secure random source
    /// let txn = TxnId::from_random(Timestamp(1_732_350_000_000), random);
    /// assert_eq!(txn.to_string().parse(), Ok(txn));
    /// assert!("17".parse::<TxnId>().is_err());
    /// ```
    TxnId, "transaction id"
);
uuid_id!(
    /// One uninterrupted local history: the life of one database file. A reinstall, a restore or a clone is a
    /// new actor.
    ActorId, "actor id"
);
uuid_id!(
    /// A bottling plant: the tenant that everything on the server belongs to.
    PlantId, "plant id"
);
uuid_id!(
    /// A person who works with a plant: a rider or a manager.
    AccountId, "account id"
);
uuid_id!(
    /// One enrolled phone. A restored or reinstalled phone enrols again and is a new device.
    DeviceId, "device id"
);
uuid_id!(
    /// A customer of a plant.
    CustomerId, "customer id"
);
uuid_id!(
    /// A round that a rider works through: an ordered list of customers.
    RouteId, "route id"
);

impl TxnId {
    /// The key under which bytes that carry no readable transaction id are settled: a version 8 UUID of their
    /// SHA-256, so that sending the same bytes again is still a duplicate.
    ///
    /// ```
    /// use carboy_protocol::TxnId;
    /// assert_eq!(TxnId::of_unreadable(b"{damaged"), TxnId::of_unreadable(b"{damaged"));
    /// assert_ne!(TxnId::of_unreadable(b"{damaged"), TxnId::of_unreadable(b"{other"));
    /// ```
    pub fn of_unreadable(bytes: &[u8]) -> Self {
        use sha2::{Digest, Sha256};
        let digest = Sha256::digest(bytes);
        let mut first = [0; 16];
        first.copy_from_slice(&digest[..16]);
        Self(uuid::Builder::from_custom_bytes(first).into_uuid())
    }
}

/// A plant's own short code of a product, for example `20L`: 1 to 16 letters, digits, `-` or `_`.
///
/// ```
/// use carboy_protocol::ProductCode;
/// assert_eq!("20L".parse::<ProductCode>()?.as_str(), "20L");
/// assert!("twenty litres".parse::<ProductCode>().is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(value_type = String, pattern = "^[A-Za-z0-9_-]{1,16}$", example = "20L"))]
pub struct ProductCode(String);

impl ProductCode {
    /// The code as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for ProductCode {
    type Error = InvalidId;

    fn try_from(text: String) -> Result<Self, InvalidId> {
        let fits = (1..=16).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
        if fits { Ok(Self(text)) } else { Err(InvalidId { what: "product code", text }) }
    }
}

impl FromStr for ProductCode {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        Self::try_from(text.to_owned())
    }
}

impl From<ProductCode> for String {
    fn from(code: ProductCode) -> Self {
        code.0
    }
}

impl fmt::Display for ProductCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a device's clock said, in milliseconds since 1970-01-01 UTC. Evidence to store and show: ordering and
/// resolution never depend on it, and it may be years off.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(value_type = i64))]
pub struct Timestamp(pub i64);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_made_of_a_time_and_random_bytes_is_a_version_7_uuid_that_reads_back() {
        let id = TxnId::from_random(Timestamp(1_732_350_000_000), [7; 10]);
        assert_eq!(id.0.get_version_num(), 7);
        assert_eq!(id.to_string().parse::<TxnId>().unwrap(), id);
    }

    #[test]
    fn a_clock_before_1970_still_makes_an_id() {
        assert_eq!(TxnId::from_random(Timestamp(-5), [7; 10]).0.get_version_num(), 7);
    }

    #[test]
    fn the_same_unreadable_bytes_get_the_same_key() {
        assert_eq!(TxnId::of_unreadable(b"{"), TxnId::of_unreadable(b"{"));
        assert_ne!(TxnId::of_unreadable(b"{"), TxnId::of_unreadable(b"["));
    }

    #[test]
    fn a_product_code_outside_its_alphabet_or_length_is_refused_with_its_text() {
        for text in ["", "has space", "way-too-long-for-a-code", "é"] {
            assert_eq!(
                text.parse::<ProductCode>().unwrap_err(),
                InvalidId { what: "product code", text: text.into() }
            );
        }
        assert_eq!("20L".parse::<ProductCode>().unwrap().as_str(), "20L");
    }

    #[test]
    fn a_product_code_of_letters_digits_and_both_dashes_reads_back_from_its_text() {
        for text in ["a-1_Z", "-", "_", "sixteen-long-yes"] {
            let code: ProductCode = text.parse().unwrap();
            assert_eq!((code.to_string(), String::from(code)), (text.to_owned(), text.to_owned()));
        }
    }
}
