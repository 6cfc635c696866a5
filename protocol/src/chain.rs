//! The hash chain over an outbox: an entry edited, removed or slipped in changes every hash behind it.

use crate::ActorId;
use crate::hex32::hex32;
use sha2::{Digest, Sha256};

hex32!(
    /// SHA-256 over the hash before, the sequence number and the entry's bytes exactly as first written.
    ///
    /// ```
    /// use carboy_protocol::{ActorId, ChainHash};
    /// let start = ChainHash::genesis(ActorId::from_bytes([1; 16]));
    /// assert_ne!(start.next(1, b"{}"), start.next(1, b"{ }"));
    /// ```
    ChainHash
);

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
}
