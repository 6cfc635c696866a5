//! Enrolling a phone with the one-time code from the dashboard.

use crate::transport::{Exchange, Outcome, TIMEOUT, Transport, compressed, judge};
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
    /// There was no usable reply; try again.
    #[error("the server could not be reached: {0}")]
    Unreachable(String),
}

/// Enrols this phone. The reply holds the token, which belongs in the platform's key store, and the identity
/// that [`crate::Engine::open`] wants.
///
/// # Errors
/// [`EnrolError`]. A code is used up only if the server says so; after a lost reply the manager makes a new one.
pub async fn enrol(
    transport: &dyn Transport,
    code: &str,
    device_name: &str,
) -> Result<EnrolReply, EnrolError> {
    let request = EnrolRequest { code: code.to_owned(), device_name: device_name.to_owned() };
    let unreachable = |why: String| EnrolError::Unreachable(why);
    let json = serde_json::to_vec(&request).map_err(|error| unreachable(error.to_string()))?;
    let body = compressed(&json).map_err(|error| unreachable(error.to_string()))?;
    let exchange = Exchange { path: ENROL_PATH, token: None, body, timeout: TIMEOUT };
    match judge(transport.exchange(exchange).await) {
        Outcome::Answer(reply) => Ok(reply),
        Outcome::SignIn => Err(EnrolError::WrongCode),
        Outcome::Upgrade => Err(EnrolError::NeedsUpgrade),
        Outcome::Malformed(detail) | Outcome::Link(detail) => Err(unreachable(detail)),
        Outcome::Busy(_) => Err(unreachable("the server is busy".into())),
        other => Err(unreachable(format!("unexpected answer: {other:?}"))),
    }
}
