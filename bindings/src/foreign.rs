//! What Kotlin and Swift implement, and how the core calls it. A foreign error of any kind becomes one of ours.

use crate::{Change, LogLevel};
use async_trait::async_trait;
use carboy_core as core;
use std::sync::Arc;
use uniffi::UnexpectedUniFFICallbackError;

/// An error type for a trait whose failures differ only in their detail.
macro_rules! failure {
    ($(#[$doc:meta])+ $name:ident) => {
        $(#[$doc])+
        #[derive(Debug, thiserror::Error, uniffi::Error)]
        pub enum $name {
            /// It failed.
            #[error("{detail}")]
            Failed {
                /// Why, for a log.
                detail: String,
            },
        }

        impl From<UnexpectedUniFFICallbackError> for $name {
            fn from(error: UnexpectedUniFFICallbackError) -> Self {
                Self::Failed { detail: error.reason }
            }
        }
    };
}

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
    /// The token; a new one if `refresh`, because the server refused the last. One that does not answer within 60
    /// seconds is asked again later.
    async fn token(&self, refresh: bool) -> Result<String, TokenError>;
}

failure! {
    /// What a key store may throw. The call that needed the secret fails with `KeyStoreFailed`.
    KeyStoreError
}

/// The platform's place for secrets: the Keystore on Android, the Keychain on Apple systems. Its secrets must not go
/// into a backup. May be asked from any thread, and not call back.
#[uniffi::export(with_foreign)]
pub trait KeyStore: Send + Sync {
    /// The secret of this name; nothing if there is none. A key store that cannot be read at the moment (a phone that
    /// is still locked) must throw, not answer with nothing.
    fn load(&self, name: String) -> Result<Option<Vec<u8>>, KeyStoreError>;

    /// Keeps a secret of at most 64 bytes under this name in place of what was there.
    fn save(&self, name: String, secret: Vec<u8>) -> Result<(), KeyStoreError>;

    /// Forgets the secret of this name, if there is one.
    fn remove(&self, name: String) -> Result<(), KeyStoreError>;
}

failure! {
    /// What an observer may throw. It is logged and the next notice comes all the same.
    ObserverError
}

/// Is told of changes, coalesced, on a thread of its own. It may call back.
#[uniffi::export(with_foreign)]
pub trait Observer: Send + Sync {
    /// Something changed since the last call: ask the matching queries again.
    fn changed(&self, changes: Vec<Change>) -> Result<(), ObserverError>;
}

failure! {
    /// What a log sink may throw. The line is counted as lost and the next one comes all the same.
    LogSinkError
}

/// Takes the core's log, line by line in order, on a thread of its own. What its own calls would log is left out.
#[uniffi::export(with_foreign)]
pub trait LogSink: Send + Sync {
    /// One line without its end, with the ids that it is about, for example `txn_id`. `target` is the part of the core
    /// that it comes from.
    fn log(&self, level: LogLevel, target: String, line: String) -> Result<(), LogSinkError>;
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

struct ForeignKeys(Arc<dyn KeyStore>);

pub(crate) fn keys(keys: Arc<dyn KeyStore>) -> Arc<dyn core::KeyStore> {
    Arc::new(ForeignKeys(keys))
}

impl From<KeyStoreError> for core::KeyStoreError {
    fn from(KeyStoreError::Failed { detail }: KeyStoreError) -> Self {
        Self(detail)
    }
}

impl core::KeyStore for ForeignKeys {
    fn load(&self, name: &str) -> Result<Option<Vec<u8>>, core::KeyStoreError> {
        Ok(self.0.load(name.to_owned())?)
    }

    fn save(&self, name: &str, secret: &[u8]) -> Result<(), core::KeyStoreError> {
        Ok(self.0.save(name.to_owned(), secret.to_owned())?)
    }

    fn remove(&self, name: &str) -> Result<(), core::KeyStoreError> {
        Ok(self.0.remove(name.to_owned())?)
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
