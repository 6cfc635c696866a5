//! The hash chain over an outbox: an entry edited, removed or slipped in changes every hash behind it.

use crate::ActorId;
use crate::hex32::hex32;
use sha2::{Digest, Sha256};

/// Digits and letters that are not taken for one another.
const SYMBOLS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

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

    /// The hash as people read it out and type it: its first 40 bits in Crockford's base 32
    /// (<https://www.crockford.com/base32.html>). Names an entry among those of one customer or day; proves nothing.
    ///
    /// ```
    /// use carboy_protocol::ChainHash;
    /// assert_eq!(ChainHash([0x12; 32]).short_code(), "2891-44GJ");
    /// ```
    pub fn short_code(&self) -> String {
        let bits = self.0[..5].iter().fold(0, |bits: u64, byte| bits << 8 | u64::from(*byte));
        let symbols = (0..8).map(|place| (bits >> (35 - 5 * place)).to_le_bytes()[0] % 32);
        let mut code: String = symbols.map(|symbol| char::from(SYMBOLS[usize::from(symbol)])).collect();
        code.insert(4, '-');
        code
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
    fn a_short_code_spells_the_first_forty_bits_and_nothing_behind_them() {
        let mut hash = [0xff; 32];
        hash[..5].copy_from_slice(&[0x01, 0x23, 0x45, 0x67, 0x89]);
        // In groups of five bits: 0 4 17 20 10 25 28 9.
        assert_eq!(ChainHash(hash).short_code(), "04HM-ASW9");
    }
}
