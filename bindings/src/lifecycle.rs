//! What the shell tells the core, and what it asks of the exchange with the server; sign-out and files for support.

use crate::{Carboy, CarboyError, SignOut, SignedOut, SyncReport, core};
use std::path::Path;
use std::time::Duration;

#[uniffi::export]
impl Carboy {
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

    /// The app is about to be suspended: what is open is finished or rolled back, and the file closed. When this
    /// returns, the process holds no lock on it (iOS kills an app that is suspended while holding one). A request under
    /// way is given up; its answer comes again. A tap that comes all the same is recorded.
    pub fn pause(&self) {
        self.runtime.pause();
    }

    /// The app runs again after `pause`.
    pub fn resume(&self) {
        self.runtime.resume();
    }

    /// Ends the exchange with the server for good: a request under way is given up, and who waits for an exchange is
    /// told by `Internal`. For an object that others still hold on to; letting go of it does the same.
    pub fn stop(&self) {
        self.runtime.stop();
    }

    /// Exchanges everything with the server now, and returns when nothing is left to do at once. Cancelling the
    /// caller stops the waiting, not the exchange.
    pub async fn sync_now(&self) -> Result<SyncReport, CarboyError> {
        reported(self.runtime.sync_now().await)
    }

    /// Exchanges as much as possible within `window`, for work in the background: returns when
    /// everything is sent or nothing can be, at the latest when the time is up. Failures are tried again meanwhile. A
    /// paused object runs for as long as this takes and is paused again when it returns. Cancelling the caller stops the
    /// waiting, not the exchange.
    pub async fn drain_for(&self, window: Duration) -> Result<SyncReport, CarboyError> {
        reported(self.runtime.drain_for(window).await)
    }

    /// Signs the account out: its store is closed for good, and removed if nothing in it waits to be sent. Forget the
    /// token then. Another rider can sign in on a file of his own.
    ///
    /// Fails with `PendingWork` if `choice` wants everything sent and it is not; nothing has changed then.
    pub async fn sign_out(&self, choice: SignOut) -> Result<SignedOut, CarboyError> {
        Ok(self.runtime.sign_out(choice.into()).await?.into())
    }

    /// Writes everything that waits to be sent into the file at `path`, so that a server can take it in. The outbox
    /// stays as it is: what then comes twice is a duplicate.
    ///
    /// Fails with `StorageFull` or `Internal` if the file cannot be written, `NoDeviceKey`.
    pub fn export_outbox(&self, path: String) -> Result<(), CarboyError> {
        Ok(self.engine().export_outbox(Path::new(&path))?)
    }

    /// Writes a file at `path` that tells support how this store stands. Names, numbers, addresses, notes and every
    /// other free text are masked, and no key or token is in it.
    ///
    /// Fails with `StorageFull` or `Internal` if the file cannot be written.
    pub fn export_diagnostics(&self, path: String) -> Result<(), CarboyError> {
        Ok(self.engine().export_diagnostics(Path::new(&path))?)
    }
}

fn reported(report: Option<core::SyncReport>) -> Result<SyncReport, CarboyError> {
    report.map(Into::into).ok_or_else(|| CarboyError::internal("the exchange ended"))
}
