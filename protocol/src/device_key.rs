//! A phone's signature under the head of its hash chain: Ed25519 (RFC 8032). The secret half stays in the
//! phone's key store, the public half is registered when the phone enrols.

use crate::hex32::hex32;
use crate::{ActorId, ChainHash};
use ed25519_dalek::{Signer, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};

hex32!(
    /// What a server checks a phone's signatures with.
    PublicKey
);

/// A phone's secret key. Never leaves the phone.
///
/// ```
/// use carboy_protocol::{ActorId, ChainHash, DeviceKey};
/// let key = DeviceKey::from_seed([7; 32]); // 32 bytes of the system's secure random source
/// let actor = ActorId::from_bytes([1; 16]);
/// let head = ChainHash::genesis(actor);
/// let signature = key.sign_head(actor, 0, head);
/// assert!(key.public().verifies_head(actor, 0, head, &signature));
/// assert!(!key.public().verifies_head(actor, 1, head, &signature));
/// ```
pub struct DeviceKey(SigningKey);

/// A signature under a head. 64 bytes, as 128 hexadecimal digits on the wire.
///
/// ```
/// use carboy_protocol::Signature;
/// assert!(Signature::try_from("7f".repeat(64)).is_ok());
/// assert!(Signature::try_from("7f".to_owned()).is_err());
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(value_type = String, pattern = "^[0-9a-f]{128}$"))]
pub struct Signature([u8; 64]);

impl DeviceKey {
    /// The key that these 32 secret random bytes make.
    pub fn from_seed(seed: [u8; 32]) -> Self {
        Self(SigningKey::from_bytes(&seed))
    }

    /// The half that may be known.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key().to_bytes())
    }

    /// Vouches that `head` is the chain's hash behind `actor`'s mutation `seq`.
    pub fn sign_head(&self, actor: ActorId, seq: u64, head: ChainHash) -> Signature {
        Signature(self.0.sign(&signed_bytes(actor, seq, head)).to_bytes())
    }
}

impl std::fmt::Debug for DeviceKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "DeviceKey of {}", self.public())
    }
}

impl PublicKey {
    /// Whether the holder of the secret half has vouched for this head.
    pub fn verifies_head(&self, actor: ActorId, seq: u64, head: ChainHash, signature: &Signature) -> bool {
        let signature = ed25519_dalek::Signature::from_bytes(&signature.0);
        VerifyingKey::from_bytes(&self.0)
            .is_ok_and(|key| key.verify_strict(&signed_bytes(actor, seq, head), &signature).is_ok())
    }
}

/// The prefix keeps these signatures apart from those of any other use of the key.
fn signed_bytes(actor: ActorId, seq: u64, head: ChainHash) -> Vec<u8> {
    [&b"carboy head 1"[..], actor.as_bytes(), &seq.to_be_bytes(), &head.0].concat()
}

impl std::fmt::Debug for Signature {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Signature({})", hex::encode(self.0))
    }
}

impl From<Signature> for String {
    fn from(signature: Signature) -> Self {
        hex::encode(signature.0)
    }
}

/// A text that is not 128 hexadecimal digits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a signature: {0:?}")]
pub struct InvalidSignature(String);

impl TryFrom<String> for Signature {
    type Error = InvalidSignature;

    fn try_from(text: String) -> Result<Self, InvalidSignature> {
        let mut bytes = [0; 64];
        hex::decode_to_slice(&text, &mut bytes).map_err(|_| InvalidSignature(text))?;
        Ok(Self(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_vouches_for_one_head_of_one_history_and_one_key() {
        let (actor, other) = (ActorId::from_bytes([1; 16]), ActorId::from_bytes([2; 16]));
        let (key, stranger) = (DeviceKey::from_seed([1; 32]), DeviceKey::from_seed([2; 32]));
        let head = ChainHash::genesis(actor).next(1, b"a");
        let signature = key.sign_head(actor, 1, head);
        assert!(key.public().verifies_head(actor, 1, head, &signature));
        assert!(!key.public().verifies_head(actor, 2, head, &signature));
        assert!(!key.public().verifies_head(other, 1, head, &signature));
        assert!(!key.public().verifies_head(actor, 1, head.next(2, b"b"), &signature));
        assert!(!stranger.public().verifies_head(actor, 1, head, &signature));
        assert!(!PublicKey([0; 32]).verifies_head(actor, 1, head, &signature));
    }

    #[test]
    fn a_signature_reads_back_from_its_text_and_a_debug_print_keeps_the_secret() {
        let key = DeviceKey::from_seed([1; 32]);
        let actor = ActorId::from_bytes([1; 16]);
        let signature = key.sign_head(actor, 0, ChainHash::genesis(actor));
        assert_eq!(Signature::try_from(String::from(signature)), Ok(signature));
        assert!(Signature::try_from("ab".to_owned()).is_err());
        assert!(!format!("{key:?}").contains(&hex::encode([1; 32])));
        assert_eq!(format!("{key:?}"), format!("DeviceKey of {}", key.public()));
        assert_eq!(format!("{signature:?}"), format!("Signature({})", String::from(signature)));
    }
}
