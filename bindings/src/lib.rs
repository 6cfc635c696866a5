//! The border to Kotlin and Swift. Everything here converts and delegates to `carboy-core`; there is no logic.
//!
//! One call per tap, and lists come back as records in one call. Ids cross as text, times as milliseconds since
//! 1970 by the device's clock. The objects may be used from any thread.

mod convert;
mod error;
mod foreign;
mod records;

use carboy_core as core;
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use tokio::sync::oneshot;

pub use error::CarboyError;
pub use foreign::{Observer, ObserverError, TokenError, TokenProvider};
pub use records::*;

uniffi::setup_scaffolding!();

/// One signed-in rider's store and its exchange with the server.
///
/// Every action is on the phone, in one SQLite transaction, before its call returns; none waits for the network.
#[derive(uniffi::Object)]
pub struct Carboy {
    runtime: core::Runtime,
}

#[uniffi::export]
impl Carboy {
    /// Opens the account's file, and makes it if there is none. One file per account; the app opens it with
    /// nothing else.
    #[uniffi::constructor]
    pub fn open(
        config: Config,
        tokens: Arc<dyn TokenProvider>,
        observer: Option<Arc<dyn Observer>>,
    ) -> Result<Arc<Self>, CarboyError> {
        let transport = transport(&config.server)?;
        let identity = convert::identity(&config)?;
        let path = Path::new(&config.path);
        let (clock, random) = (Arc::new(core::SystemClock), Arc::new(core::SystemRandom));
        let engine = Arc::new(core::Engine::open(path, &identity, clock, random)?);
        let observer = observer.map(foreign::observer);
        let runtime = core::Runtime::start(engine, transport, foreign::tokens(tokens), observer)?;
        Ok(Arc::new(Self { runtime }))
    }

    /// Records bottles handed over and empties taken back.
    pub fn confirm_delivery(
        &self,
        customer: String,
        lines: Vec<DeliveredLine>,
        proof: Option<String>,
    ) -> Result<Receipt, CarboyError> {
        let lines = lines.into_iter().map(TryInto::try_into).collect::<Result<Vec<_>, CarboyError>>()?;
        Ok(self.engine().confirm_delivery(convert::id(&customer)?, &lines, proof)?.into())
    }

    /// Records cash taken from a customer.
    pub fn collect_cash(&self, customer: String, amount: Money) -> Result<Receipt, CarboyError> {
        Ok(self.engine().collect_cash(convert::id(&customer)?, amount.try_into()?)?.into())
    }

    /// Records new values for fields of a customer's profile.
    pub fn update_profile(
        &self,
        customer: String,
        changes: HashMap<Field, String>,
    ) -> Result<Receipt, CarboyError> {
        let changes = changes.into_iter().map(|(field, value)| (field.into(), value)).collect();
        Ok(self.engine().update_profile(convert::id(&customer)?, changes)?.into())
    }

    /// Records a stop visited in vain.
    pub fn fail_delivery(
        &self,
        customer: String,
        reason: FailReason,
        note: Option<String>,
    ) -> Result<Receipt, CarboyError> {
        Ok(self.engine().fail_delivery(convert::id(&customer)?, reason.into(), note)?.into())
    }

    /// The products, by code.
    pub fn products(&self) -> Result<Vec<Product>, CarboyError> {
        Ok(convert::list(self.engine().products()?))
    }

    /// The routes, by name.
    pub fn routes(&self) -> Result<Vec<Route>, CarboyError> {
        Ok(convert::list(self.engine().routes()?))
    }

    /// The stops of a route in the order of the round.
    pub fn stops(&self, route: String) -> Result<Vec<Stop>, CarboyError> {
        Ok(convert::list(self.engine().stops(convert::id(&route)?)?))
    }

    /// One page of all customers by name: those behind `after`, at most `limit`.
    pub fn customers(&self, after: Option<CustomerRow>, limit: u32) -> Result<Vec<CustomerRow>, CarboyError> {
        let after = after.map(TryInto::<core::CustomerRow>::try_into).transpose()?;
        Ok(convert::list(self.engine().customers(after.as_ref(), limit)?))
    }

    /// A customer's screen.
    pub fn customer(&self, customer: String) -> Result<Customer, CarboyError> {
        Ok(self.engine().customer(convert::id(&customer)?)?.into())
    }

    /// The newest lines of a customer's history, at most `limit`.
    pub fn history(&self, customer: String, limit: u32) -> Result<Vec<HistoryLine>, CarboyError> {
        Ok(convert::list(self.engine().history(convert::id(&customer)?, limit)?))
    }

    /// One page of what is waiting to be sent, oldest first: those behind place `after` (0 at first).
    pub fn waiting(&self, after: u64, limit: u32) -> Result<Vec<WaitingItem>, CarboyError> {
        Ok(convert::list(self.engine().waiting(after, limit)?))
    }

    /// What the server did not accept, oldest first.
    pub fn attention(&self) -> Result<Vec<AttentionItem>, CarboyError> {
        Ok(convert::list(self.engine().attention()?))
    }

    /// What is waiting to be sent, since when, and why.
    pub fn status(&self) -> Result<Status, CarboyError> {
        Ok(self.engine().status()?.into())
    }

    /// The shell says whether there is a network. While there is none, nothing is tried.
    pub fn network_changed(&self, online: bool) {
        self.runtime.network_changed(online);
    }

    /// The app came to the front.
    pub fn foregrounded(&self) {
        self.runtime.foregrounded();
    }

    /// Somebody signed in: the token provider is asked again.
    pub fn signed_in(&self) {
        self.runtime.signed_in();
    }

    /// Exchanges everything with the server now, and returns when nothing is left to do at once. Cancelling the
    /// caller stops the waiting, not the exchange.
    pub async fn sync_now(&self) -> Result<SyncReport, CarboyError> {
        let report = self.runtime.sync_now().await;
        let ended = || CarboyError::Internal { detail: "the exchange ended".into() };
        report.map(Into::into).ok_or_else(ended)
    }
}

impl Carboy {
    fn engine(&self) -> &core::Engine {
        self.runtime.engine()
    }
}

/// Enrols this phone with the one-time code from the dashboard. Keep the token in the platform's key store.
#[uniffi::export]
pub async fn enrol(server: String, code: String, device_name: String) -> Result<Enrolment, CarboyError> {
    let transport = transport(&server)?;
    let (done, reply) = oneshot::channel();
    let failed = |error: std::io::Error| CarboyError::Internal { detail: error.to_string() };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
    // The exchange needs a runtime of its own: the caller's executor is Kotlin's or Swift's.
    std::thread::Builder::new()
        .name("carboy-enrol".into())
        .spawn(move || {
            let result = runtime.block_on(core::enrol(&*transport, &code, &device_name));
            // Whoever gave up waiting is not told.
            drop(done.send(result));
        })
        .map_err(failed)?;
    let ended = |_| CarboyError::Internal { detail: "the exchange ended".into() };
    Ok(reply.await.map_err(ended)??.into())
}

#[cfg(feature = "full")]
fn transport(server: &str) -> Result<Arc<dyn core::Transport>, CarboyError> {
    let invalid = |error: core::LinkError| CarboyError::Invalid { detail: error.0 };
    Ok(Arc::new(core::HttpTransport::new(server).map_err(invalid)?))
}

#[cfg(not(feature = "full"))]
fn transport(server: &str) -> Result<Arc<dyn core::Transport>, CarboyError> {
    Err(CarboyError::Internal { detail: format!("built without HTTP, {server} cannot be reached") })
}
