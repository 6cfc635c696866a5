//! The hash chain over an outbox: an entry edited, removed or slipped in changes every hash behind it.

use crate::ActorId;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fmt;

/// SHA-256 over the hash before, the sequence number and the entry's bytes exactly as first written.
///
/// ```
/// use carboy_protocol::{ActorId, ChainHash};
/// let start = ChainHash::genesis(ActorId::from_bytes([1; 16]));
/// assert_ne!(start.next(1, b"{}"), start.next(1, b"{ }"));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ChainHash(pub [u8; 32]);

impl ChainHash {
    /// The hash before an actor's first entry.
    pub fn genesis(actor: ActorId) -> Self {
        // The prefix keeps these hashes apart from those of any other use of SHA-256 in the product.
        Self(Sha256::new().chain_update(b"carboy chain 1").chain_update(actor.as_bytes()).finalize().into())
    }

    /// The hash of the entry with this number and these bytes, behind `self`.
    #[must_use]
    pub fn next(&self, seq: u64, body: &[u8]) -> Self {
        let hash = Sha256::new().chain_update(self.0).chain_update(seq.to_be_bytes()).chain_update(body);
        Self(hash.finalize().into())
    }
}

impl fmt::Display for ChainHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for ChainHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ChainHash({self})")
    }
}

impl From<ChainHash> for String {
    fn from(hash: ChainHash) -> Self {
        hash.to_string()
    }
}

/// A text that is not 64 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a chain hash: {0:?}")]
pub struct InvalidChainHash(String);

impl TryFrom<String> for ChainHash {
    type Error = InvalidChainHash;

    fn try_from(text: String) -> Result<Self, InvalidChainHash> {
        let mut hash = [0; 32];
        hex::decode_to_slice(&text, &mut hash).map_err(|_| InvalidChainHash(text))?;
        Ok(Self(hash))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changing_the_number_the_bytes_or_the_hash_before_changes_the_hash() {
        let start = ChainHash::genesis(ActorId::from_bytes([1; 16]));
        let hash = start.next(1, b"a");
        assert_ne!(hash, start.next(2, b"a"));
        assert_ne!(hash, start.next(1, b"b"));
        assert_ne!(hash, ChainHash::genesis(ActorId::from_bytes([2; 16])).next(1, b"a"));
    }

    #[test]
    fn a_hash_reads_back_from_its_text_and_nothing_else_does() {
        let hash = ChainHash::genesis(ActorId::from_bytes([1; 16]));
        assert_eq!(ChainHash::try_from(hash.to_string()), Ok(hash));
        for text in ["", "zz", &"g".repeat(64), &"é".repeat(32), &"+f".repeat(32)] {
            assert!(ChainHash::try_from(text.to_owned()).is_err(), "{text}");
        }
    }
}
