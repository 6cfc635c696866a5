//! What the core takes from its surroundings: time, randomness and a place for secrets. All are passed in, so that
//! a simulator can give one seed one history.

use carboy_protocol::{AccountId, Timestamp};
use std::collections::HashMap;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The device's clocks.
///
/// ```
/// # mod example { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/example.rs")); }
/// # use {carboy_core::*, carboy_protocol::*, example::*};
/// # let folder = tempfile::tempdir()?;
/// # let folder = folder.path();
/// # let options = options(folder);
/// use std::{sync::Arc, time::Duration};
/// struct Stopped;
///
/// impl Clock for Stopped {
///     fn now(&self) -> Timestamp {
///         Timestamp(1_732_350_000_000)
///     }
///     fn elapsed(&self) -> Duration {
///         Duration::ZERO
///     }
/// }
/// let engine = Engine::open(&Options { clock: Arc::new(Stopped), ..options })?;
/// engine.start_shift(None)?;
/// assert_eq!(engine.status()?.oldest_pending, Some(Timestamp(1_732_350_000_000)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Clock: Send + Sync {
    /// What the wall clock says. Evidence only: it may be years off and may jump.
    fn now(&self) -> Timestamp;

    /// Time since some fixed moment, never going back. What the drainer waits by.
    fn elapsed(&self) -> Duration;
}

/// A source of random bytes fit for keys and ids.
///
/// ```
/// # mod example { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/example.rs")); }
/// # use {carboy_core::*, carboy_protocol::*, example::*};
/// # let folder = tempfile::tempdir()?;
/// # let folder = folder.path();
/// # let options = options(folder);
/// use std::sync::{Arc, atomic::{AtomicU8, Ordering}};
/// /// For a simulator: the same in every run.
/// struct Counter(AtomicU8);
///
/// impl Random for Counter {
///     fn fill(&self, buffer: &mut [u8]) -> Result<(), String> {
///         buffer.fill(self.0.fetch_add(1, Ordering::Relaxed));
///         Ok(())
///     }
/// }
/// let engine = Engine::open(&Options { random: Arc::new(Counter(AtomicU8::new(1))), ..options })?;
/// assert_ne!(engine.start_shift(None)?.txn, engine.finish_shift()?.txn);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Random: Send + Sync {
    /// Fills `buffer`.
    ///
    /// # Errors
    /// If the source has none to give; the text says why.
    fn fill(&self, buffer: &mut [u8]) -> Result<(), String>;
}

/// The operating system's clocks.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let millis = match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(since) => i64::try_from(since.as_millis()),
            Err(before) => i64::try_from(before.duration().as_millis()).map(std::ops::Neg::neg),
        };
        Timestamp(millis.unwrap_or(i64::MAX))
    }

    fn elapsed(&self) -> Duration {
        static START: OnceLock<Instant> = OnceLock::new();
        START.get_or_init(Instant::now).elapsed()
    }
}

/// The operating system's secure random source.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), String> {
        getrandom::fill(buffer).map_err(|error| error.to_string())
    }
}

/// The key store failed; the text says why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the key store failed: {0}")]
pub struct KeyStoreError(pub String);

/// The platform's place for secrets: the Keystore on Android, the Keychain on Apple systems. Secrets in it must not
/// go into a backup, so that a restored phone is a new device.
///
/// ```
/// use carboy_core::{KeyStore, KeyStoreError};
/// use std::{fs, io, path::PathBuf};
/// /// For a desktop: a folder that only this user may read.
/// struct Folder(PathBuf);
///
/// fn found<T>(result: io::Result<T>) -> Result<Option<T>, KeyStoreError> {
///     match result {
///         Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
///         other => other.map(Some).map_err(|error| KeyStoreError(error.to_string())),
///     }
/// }
///
/// impl KeyStore for Folder {
///     fn load(&self, name: &str) -> Result<Option<Vec<u8>>, KeyStoreError> {
///         found(fs::read(self.0.join(name)))
///     }
///     fn save(&self, name: &str, secret: &[u8]) -> Result<(), KeyStoreError> {
///         fs::write(self.0.join(name), secret).map_err(|error| KeyStoreError(error.to_string()))
///     }
///     fn remove(&self, name: &str) -> Result<(), KeyStoreError> {
///         found(fs::remove_file(self.0.join(name))).map(drop)
///     }
/// }
/// # let folder = tempfile::tempdir()?;
/// let keys = Folder(folder.path().to_owned());
/// keys.save("carboy.test", b"secret")?;
/// assert_eq!(keys.load("carboy.test")?, Some(b"secret".to_vec()));
/// keys.remove("carboy.test")?;
/// assert_eq!(keys.load("carboy.test")?, None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait KeyStore: Send + Sync {
    /// The secret of this name; `None` if there is none.
    ///
    /// # Errors
    /// If the key store cannot be read at the moment.
    fn load(&self, name: &str) -> Result<Option<Vec<u8>>, KeyStoreError>;

    /// Keeps a secret under this name in place of what was there.
    ///
    /// # Errors
    /// If it could not be kept.
    fn save(&self, name: &str, secret: &[u8]) -> Result<(), KeyStoreError>;

    /// Forgets the secret of this name, if there is one.
    ///
    /// # Errors
    /// If it could not be removed.
    fn remove(&self, name: &str) -> Result<(), KeyStoreError>;
}

/// The name under which an account's secret is kept: `device` signs its outbox, `store` unlocks its file.
pub(crate) fn key_name(account: AccountId, what: &str) -> String {
    format!("carboy.{account}.{what}")
}

/// Keeps secrets in memory, for tests, simulators and tools: they are gone with the process.
///
/// ```
/// use carboy_core::{KeyStore, MemoryKeys};
/// let keys = MemoryKeys::default();
/// keys.save("carboy.test", b"secret")?;
/// assert_eq!(keys.load("carboy.test")?, Some(b"secret".to_vec()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Default)]
pub struct MemoryKeys(Mutex<HashMap<String, Vec<u8>>>);

impl MemoryKeys {
    fn secrets(&self) -> std::sync::MutexGuard<'_, HashMap<String, Vec<u8>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl KeyStore for MemoryKeys {
    fn load(&self, name: &str) -> Result<Option<Vec<u8>>, KeyStoreError> {
        Ok(self.secrets().get(name).cloned())
    }

    fn save(&self, name: &str, secret: &[u8]) -> Result<(), KeyStoreError> {
        self.secrets().insert(name.to_owned(), secret.to_owned());
        Ok(())
    }

    fn remove(&self, name: &str) -> Result<(), KeyStoreError> {
        self.secrets().remove(name);
        Ok(())
    }
}
