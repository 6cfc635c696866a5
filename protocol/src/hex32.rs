//! Values of 32 bytes that travel as 64 hexadecimal digits: hashes and public keys.

/// A text that is not 64 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not 64 hexadecimal digits: {0:?}")]
pub struct InvalidHex(pub String);

macro_rules! hex32 {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(try_from = "String", into = "String")]
        #[cfg_attr(
            feature = "openapi",
            derive(utoipa::ToSchema),
            schema(value_type = String, pattern = "^[0-9a-f]{64}$")
        )]
        pub struct $name(pub [u8; 32]);

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&hex::encode(self.0))
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> Self {
                value.to_string()
            }
        }

        impl TryFrom<String> for $name {
            type Error = $crate::hex32::InvalidHex;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                text.parse()
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::hex32::InvalidHex;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let mut bytes = [0; 32];
                hex::decode_to_slice(text, &mut bytes)
                    .map_err(|_| $crate::hex32::InvalidHex(text.to_owned()))?;
                Ok(Self(bytes))
            }
        }
    };
}

pub(crate) use hex32;

hex32!(
    /// SHA-256 of a photo's bytes: the photo's name everywhere.
    ///
    /// ```
    /// use carboy_protocol::PhotoHash;
    /// let hash = PhotoHash::of(b"a photo");
    /// assert_eq!(hash.to_string().parse(), Ok(hash));
    /// ```
    PhotoHash
);

impl PhotoHash {
    /// The hash of a whole file.
    pub fn of(bytes: &[u8]) -> Self {
        use sha2::{Digest, Sha256};
        Self(Sha256::digest(bytes).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_reads_back_from_its_text_and_nothing_else_does() {
        let hash = PhotoHash::of(b"picture");
        assert_eq!(hash.to_string().parse(), Ok(hash));
        for text in ["", "zz", &"g".repeat(64), &"é".repeat(32), &"+f".repeat(32)] {
            assert_eq!(text.parse::<PhotoHash>(), Err(InvalidHex(text.to_owned())));
        }
    }
}
