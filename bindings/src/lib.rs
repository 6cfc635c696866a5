//! The border to Kotlin and Swift. Everything here converts and delegates to `carboy-core`; there is no logic.
//!
//! One call per tap, and lists come back as records in one call. The objects may be used from any thread.

mod actions;
mod buffers;
mod convert;
mod error;
mod foreign;
mod lifecycle;
mod log;
mod queries;
mod records;
mod scalar;

use carboy_core as core;
use std::path::Path;
use std::sync::Arc;
use tokio::sync::oneshot;

pub use error::CarboyError;
pub use foreign::{
    KeyStore, KeyStoreError, LogSink, LogSinkError, Observer, ObserverError, TokenError, TokenProvider,
};
pub use log::set_log_sink;
pub use records::*;
pub use scalar::{AccountId, CustomerId, DeviceId, PlantId, ProductCode, RouteId, Timestamp, TxnId};

uniffi::setup_scaffolding!();

/// One signed-in rider's store and its exchange with the server.
///
/// Every action is on the phone, in one SQLite transaction, before its call returns; none waits for the network. Any
/// call fails with `StorageFull`, `Damaged`, `KeyStoreFailed` or `Internal` if the store does, and with `SignedOut`
/// after the account was signed out.
#[derive(uniffi::Object)]
pub struct Carboy {
    runtime: core::Runtime,
}

#[uniffi::export]
impl Carboy {
    /// Opens the account's file, and makes it if there is none. Nothing else may have it open: one object per account.
    ///
    /// Fails with `WrongAccount`, `NeedsUpgrade` if a newer version of the app wrote the file, `WrongKey`,
    /// `KeyStoreFailed`, `NotAStore`, `StorageFull`; `Invalid` for an id, a currency or an address that is none.
    #[uniffi::constructor]
    pub fn open(
        config: Config,
        keys: Arc<dyn KeyStore>,
        tokens: Arc<dyn TokenProvider>,
        observer: Option<Arc<dyn Observer>>,
    ) -> Result<Arc<Self>, CarboyError> {
        let transport = transport(&config.server)?;
        let identity = (&config).try_into()?;
        let options = core::Options::new(config.folder, identity, foreign::keys(keys));
        let engine = Arc::new(core::Engine::open(&options)?);
        let observer = observer.map(foreign::observer);
        let runtime = core::Runtime::start(engine, transport, foreign::tokens(tokens), observer)?;
        Ok(Arc::new(Self { runtime }))
    }
}

impl Carboy {
    fn engine(&self) -> &core::Engine {
        self.runtime.engine()
    }
}

/// The accounts that have a store in `folder`, by id, with what waits in each. A file that cannot be read is left out:
/// opening it says why. Fails if the folder cannot be read.
#[uniffi::export]
pub fn accounts(folder: String, keys: Arc<dyn KeyStore>) -> Result<Vec<StoredAccount>, CarboyError> {
    Ok(convert::list(core::accounts(Path::new(&folder), &*foreign::keys(keys))?))
}

/// Enrols this phone with the one-time code from the dashboard, and enrols it anew after its token or key was lost:
/// what is in the account's file stays. The signing key that this makes goes into `keys`; keep the token there too.
///
/// Fails with `WrongCode`, `NeedsUpgrade`, `KeyStoreFailed`, `Unreachable`; `Invalid` for an address that is none.
#[uniffi::export]
pub async fn enrol(
    server: String,
    keys: Arc<dyn KeyStore>,
    code: String,
    device_name: String,
) -> Result<Enrolment, CarboyError> {
    let transport = transport(&server)?;
    let keys = foreign::keys(keys);
    let (done, reply) = oneshot::channel();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(CarboyError::internal)?;
    // The exchange needs a runtime of its own: the caller's executor is Kotlin's or Swift's.
    std::thread::Builder::new()
        .name("carboy-enrol".into())
        .spawn(move || {
            let random = core::SystemRandom;
            let enrolled = core::enrol(&*transport, &*keys, &random, &code, &device_name);
            // Whoever gave up waiting is not told.
            drop(done.send(runtime.block_on(enrolled)));
        })
        .map_err(CarboyError::internal)?;
    Ok(reply.await.map_err(|_| CarboyError::internal("the exchange ended"))??.into())
}

#[cfg(feature = "full")]
fn transport(server: &str) -> Result<Arc<dyn core::Transport>, CarboyError> {
    Ok(Arc::new(core::HttpTransport::new(server).map_err(CarboyError::invalid)?))
}

#[cfg(not(feature = "full"))]
fn transport(server: &str) -> Result<Arc<dyn core::Transport>, CarboyError> {
    Err(CarboyError::internal(format!("built without HTTP, {server} cannot be reached")))
}
