//! What Kotlin and Swift implement, and how the core calls it. A foreign error of any kind becomes one of ours.

use crate::Change;
use async_trait::async_trait;
use carboy_core as core;
use std::sync::Arc;
use uniffi::UnexpectedUniFFICallbackError;

/// Why a token provider has no token.
#[derive(Debug, thiserror::Error, uniffi::Error)]
pub enum TokenError {
    /// Nobody is signed in: a person has to act.
    #[error("nobody is signed in")]
    SignedOut,
    /// It cannot be had at the moment; it is asked for again later.
    #[error("{detail}")]
    Unavailable {
        /// Why, for a log.
        detail: String,
    },
}

impl From<UnexpectedUniFFICallbackError> for TokenError {
    fn from(error: UnexpectedUniFFICallbackError) -> Self {
        Self::Unavailable { detail: error.reason }
    }
}

/// Gives the bearer token. Asked only when something is to be sent; recording never needs one.
#[uniffi::export(with_foreign)]
#[async_trait]
pub trait TokenProvider: Send + Sync {
    /// The token; a new one if `refresh`, because the server refused the last.
    async fn token(&self, refresh: bool) -> Result<String, TokenError>;
}

/// What an observer may throw. It is logged and the next notice comes all the same.
#[derive(Debug, thiserror::Error, uniffi::Error)]
pub enum ObserverError {
    /// The observer failed.
    #[error("{detail}")]
    Failed {
        /// Why, for a log.
        detail: String,
    },
}

impl From<UnexpectedUniFFICallbackError> for ObserverError {
    fn from(error: UnexpectedUniFFICallbackError) -> Self {
        Self::Failed { detail: error.reason }
    }
}

/// Is told of changes, coalesced, on a thread of its own. It may call back.
#[uniffi::export(with_foreign)]
pub trait Observer: Send + Sync {
    /// Something changed since the last call: ask the matching queries again.
    fn changed(&self, changes: Vec<Change>) -> Result<(), ObserverError>;
}

struct ForeignTokens(Arc<dyn TokenProvider>);

pub(crate) fn tokens(provider: Arc<dyn TokenProvider>) -> Arc<dyn core::TokenProvider> {
    Arc::new(ForeignTokens(provider))
}

#[async_trait]
impl core::TokenProvider for ForeignTokens {
    async fn token(&self, refresh: bool) -> Result<String, core::TokenError> {
        self.0.token(refresh).await.map_err(|error| match error {
            TokenError::SignedOut => core::TokenError::SignedOut,
            TokenError::Unavailable { detail } => core::TokenError::Unavailable(detail),
        })
    }
}

struct ForeignObserver(Arc<dyn Observer>);

pub(crate) fn observer(observer: Arc<dyn Observer>) -> Arc<dyn core::Observer> {
    Arc::new(ForeignObserver(observer))
}

impl core::Observer for ForeignObserver {
    fn changed(&self, changes: core::Changes) {
        if let Err(error) = self.0.changed(changes.into_iter().map(Into::into).collect()) {
            tracing::warn!(%error, "the observer failed");
        }
    }
}
