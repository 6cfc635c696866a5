//! Enrolling a phone with the one-time code from the dashboard.

use crate::env::{KeyStore, KeyStoreError, Random, key_name};
use crate::transport::{Exchange, Outcome, TIMEOUT, Transport, json_body, judge};
use carboy_protocol::DeviceKey;
use carboy_protocol::wire::{ENROL_PATH, EnrolReply, EnrolRequest};

/// Why a phone could not be enrolled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EnrolError {
    /// The code is wrong, was used already, or is too old.
    #[error("the code was not accepted")]
    WrongCode,
    /// The server does not speak this version any more.
    #[error("the server needs a newer version of the app")]
    NeedsUpgrade,
    /// The phone's signing key could not be made or kept.
    #[error("no signing key: {0}")]
    NoKey(String),
    /// There was no usable reply; try again.
    #[error("the server could not be reached: {0}")]
    Unreachable(String),
}

impl From<KeyStoreError> for EnrolError {
    fn from(error: KeyStoreError) -> Self {
        Self::NoKey(error.to_string())
    }
}

/// Enrols this phone, and enrols it anew after its token or key was lost: what is in the account's file stays. The
/// signing key that this makes is kept in `keys`. The reply holds the token, which belongs in the platform's key
/// store, and the identity that [`crate::Engine::open`] wants.
///
/// # Errors
/// [`EnrolError`]. A code works once: if the reply was lost, or the key could not be kept, it may be used up, and the
/// manager makes a new one.
///
/// ```
/// # mod example { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/example.rs")); }
/// # use {carboy_core::*, carboy_protocol::*, example::*};
/// # run(async {
/// # let transport = Server::default();
/// use std::sync::Arc;
/// let keys = Arc::new(MemoryKeys::default());
/// let reply = enrol(&transport, &*keys, &SystemRandom, "7KQ2-M9XD", "Tecno Spark 8").await?;
/// let identity = Identity { plant: reply.plant, account: reply.account, currency: reply.currency };
/// let folder = tempfile::tempdir()?;
/// let engine = Engine::open(&Options::new(folder.path(), identity, keys))?;
/// assert_eq!(engine.status()?.pending, 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub async fn enrol(
    transport: &dyn Transport,
    keys: &dyn KeyStore,
    random: &dyn Random,
    code: &str,
    device_name: &str,
) -> Result<EnrolReply, EnrolError> {
    let mut seed = [0; 32];
    random.fill(&mut seed).map_err(EnrolError::NoKey)?;
    let public_key = DeviceKey::from_seed(seed).public();
    let request = EnrolRequest { code: code.to_owned(), device_name: device_name.to_owned(), public_key };
    let body = json_body(&request).map_err(|error| EnrolError::Unreachable(error.to_string()))?;
    let exchange = Exchange { path: ENROL_PATH.to_owned(), token: None, body, timeout: TIMEOUT };
    let unreachable = |why: String| Err(EnrolError::Unreachable(why));
    match judge::<EnrolReply>(transport.exchange(exchange).await) {
        Outcome::Answer(reply) => {
            keys.save(&key_name(reply.account, "device"), &seed)?;
            Ok(reply)
        }
        Outcome::SignIn => Err(EnrolError::WrongCode),
        Outcome::Upgrade => Err(EnrolError::NeedsUpgrade),
        Outcome::Malformed(detail) | Outcome::Link(detail) => unreachable(detail),
        Outcome::Busy(_) => unreachable("the server is busy".into()),
        other => unreachable(format!("unexpected answer: {other:?}")),
    }
}
