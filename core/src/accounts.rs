//! Several accounts on one phone: which have a store here, and how one is signed out.

use crate::env::{KeyStore, SystemRandom, key_name};
use crate::store::key::StoreKey;
use crate::store::salvage::{COMPANIONS, beside, unless_gone};
use crate::store::{Meta, Place, Tx, outbox, photos};
use crate::{Engine, Error, Runtime};
use carboy_protocol::wire::MAX_BATCH;
use carboy_protocol::{AccountId, Currency, PlantId};
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// An account with a store on this phone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredAccount {
    /// Who.
    pub account: AccountId,
    /// The rider's plant.
    pub plant: PlantId,
    /// The plant's currency.
    pub currency: Currency,
    /// Mutations that the server has not settled.
    pub pending: u64,
    /// Photos that the server does not have.
    pub photos: u64,
}

/// What is to become of work that has not been sent when a rider signs out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SignOut {
    /// Sign out only if there is none, and otherwise say how much there is.
    IfDone,
    /// Send it first, within this time.
    SendFirst(Duration),
    /// Keep it on the phone, sealed for this account, until the same rider signs in again.
    KeepSealed,
    /// Write it into a file that a server can take in, and keep it sealed too.
    Export(PathBuf),
}

/// What signing out came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignedOut {
    /// Everything was sent and accepted: nothing of the account is left on the phone.
    Removed,
    /// The account's file is kept for the same rider.
    Sealed {
        /// Mutations in it that the server has not settled.
        pending: u64,
    },
}

/// The accounts that have a store in `folder`, by id. A file that cannot be read is left out: opening it says why.
///
/// # Errors
/// If the folder cannot be read.
///
/// ```
/// # mod example { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/example.rs")); }
/// # use {carboy_core::*, carboy_protocol::*, example::*};
/// # let folder = tempfile::tempdir()?;
/// # let options = options(folder.path());
/// let engine = Engine::open(&options)?;
/// engine.start_shift(None)?;
/// let accounts = accounts(folder.path(), &*options.keys)?;
/// assert_eq!((accounts[0].account, accounts[0].pending), (options.identity.account, 1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn accounts(folder: &Path, keys: &dyn KeyStore) -> Result<Vec<StoredAccount>, Error> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(Error::from_io(error)),
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.map_err(Error::from_io)?.path();
        let Some(account) = account_of(&path) else { continue };
        match stored(keys, account, path) {
            Ok(account) => found.push(account),
            Err(error) => tracing::warn!(%account, %error, "an account's file cannot be read"),
        }
    }
    found.sort_by_key(|stored| stored.account);
    Ok(found)
}

fn account_of(path: &Path) -> Option<AccountId> {
    let is_store = path.extension().is_some_and(|extension| extension == "db");
    path.file_stem()?.to_str()?.parse().ok().filter(|_| is_store)
}

fn stored(keys: &dyn KeyStore, account: AccountId, path: PathBuf) -> Result<StoredAccount, Error> {
    let place = Place::new(path, None, StoreKey::find(account, false, keys, &SystemRandom)?)?;
    let mut reader = place.reader()?;
    let tx = Tx::reading(&mut reader)?;
    let meta = Meta::read(&tx)?;
    let (photos, _) = photos::waiting(&tx)?;
    let (plant, currency, pending) = (meta.plant, meta.currency, meta.pending());
    Ok(StoredAccount { account: meta.account, plant, currency, pending, photos })
}

impl Runtime {
    /// Signs the account out: its store is closed for good, and removed if nothing in it waits to be sent or for the
    /// rider. The shell
    /// forgets the token. Another rider can sign in on a file of his own.
    ///
    /// # Errors
    /// [`Error::PendingWork`] if `choice` wants everything sent and it is not; nothing has changed then.
    /// [`Error::Store`], [`Error::StorageFull`], [`Error::NoDeviceKey`] if an export cannot be written; nothing has
    /// changed then either. [`Error::Store`], [`Error::KeyStore`] if what is to be removed cannot be: then the store is
    /// closed all the same, and signing out once more goes on.
    ///
    /// ```
    /// # mod example { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/example.rs")); }
    /// # use {carboy_core::*, carboy_protocol::*, example::*};
    /// # run(async {
    /// # let (runtime, _folder) = runtime();
    /// # let engine = runtime.engine();
    /// engine.start_shift(None)?;
    /// let within = std::time::Duration::from_secs(10);
    /// assert_eq!(runtime.sign_out(SignOut::SendFirst(within)).await?, SignedOut::Removed);
    /// assert!(matches!(engine.status(), Err(carboy_core::Error::SignedOut)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// # })?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub async fn sign_out(&self, choice: SignOut) -> Result<SignedOut, Error> {
        if let SignOut::SendFirst(within) = choice {
            self.drain_for(within).await;
        }
        if self.engine().store.is_closed() {
            // It was signed out before, and something could not be removed then.
            return self.engine().remove();
        }
        let status = self.engine().status()?;
        let (mutations, photos, refused) = (status.pending, status.photos, self.engine().refused()?);
        let is_done = mutations == 0 && photos == 0 && refused == 0;
        match choice {
            SignOut::IfDone | SignOut::SendFirst(_) if !is_done => {
                return Err(Error::PendingWork { mutations, photos, refused });
            }
            SignOut::Export(path) => self.engine().export_outbox(&path)?,
            _ => {}
        }
        self.pause();
        if is_done { self.engine().remove() } else { self.engine().seal() }
    }
}

impl Engine {
    /// Writes everything that waits to be sent into the file at `to`, one signed request of the sync protocol on each
    /// line, so that a server can take it in. The outbox stays as it is: what then comes twice is a duplicate.
    ///
    /// # Errors
    /// [`Error::StorageFull`], [`Error::Store`] if the file cannot be written, [`Error::NoDeviceKey`] if the phone
    /// has lost its key.
    ///
    /// ```
    /// # mod example { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/example.rs")); }
    /// # use {carboy_core::*, carboy_protocol::*, example::*};
    /// # let (engine, customer, route, _folder) = phone();
    /// engine.start_shift(None)?;
    /// let file = tempfile::NamedTempFile::new()?;
    /// engine.export_outbox(file.path())?;
    /// let request: wire::SyncRequest = serde_json::from_str(&std::fs::read_to_string(file.path())?)?;
    /// assert_eq!(request.mutations.len(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn export_outbox(&self, to: &Path) -> Result<(), Error> {
        let key = self.device_key()?.ok_or(Error::NoDeviceKey)?;
        let mut file = BufWriter::new(File::create(to).map_err(Error::from_io)?);
        let mut after = None;
        while let Some(batch) = self.store.read(|tx| unsent(tx, after))? {
            after = Some(batch.first_id + batch.mutations.len() as u64);
            serde_json::to_writer(&mut file, &batch.request(&key, true))?;
            file.write_all(b"\n").map_err(Error::from_io)?;
        }
        let file = file.into_inner().map_err(|error| Error::from_io(error.into_error()))?;
        file.sync_all().map_err(Error::from_io)
    }

    /// How many mutations were not accepted and wait for the rider.
    fn refused(&self) -> Result<u64, Error> {
        self.store.read(|tx| Ok(tx.query_row("SELECT count(*) FROM attention", [], |row| row.get(0))?))
    }

    fn seal(&self) -> Result<SignedOut, Error> {
        // Once more: a tap may have come while the file was closed.
        let pending = self.status()?.pending;
        self.store.close();
        Ok(SignedOut::Sealed { pending })
    }

    /// Removes the account's file, photos and keys. If a tap came meanwhile, the file is kept.
    fn remove(&self) -> Result<SignedOut, Error> {
        self.store.close();
        if self.file().exists() {
            let pending = self.store.pending_when_closed()?;
            if pending > 0 {
                return Ok(SignedOut::Sealed { pending });
            }
        }
        let file = self.file();
        // The WAL first: alone it would look like a database that was lost.
        for companion in COMPANIONS {
            unless_gone(fs::remove_file(beside(file, companion)))?;
        }
        unless_gone(fs::remove_file(file))?;
        unless_gone(fs::remove_dir_all(self.album.folder()))?;
        forget(&*self.keys, self.account)?;
        Ok(SignedOut::Removed)
    }
}

fn unsent(tx: &Tx<'_>, after: Option<u64>) -> Result<Option<outbox::Batch>, Error> {
    let meta = Meta::read(tx)?;
    let first_id = after.unwrap_or(meta.settled_id + 1);
    if first_id > meta.last_id {
        return Ok(None);
    }
    outbox::batch_from(tx, meta, first_id, MAX_BATCH, false).map(Some)
}

fn forget(keys: &dyn KeyStore, account: AccountId) -> Result<(), Error> {
    for what in ["device", "store"] {
        keys.remove(&key_name(account, what))?;
    }
    Ok(())
}
