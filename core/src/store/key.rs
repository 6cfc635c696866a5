//! Encryption at rest (cargo feature `encryption`): SQLCipher with 32 random bytes that stay in the platform's key
//! store.
//!
//! The file's salt, its first 16 bytes, is made of the key: so a file that cannot be read tells whether the key is
//! another one or the file is damaged.

use crate::env::KeyStore;
use crate::{Error, Random};
use carboy_protocol::AccountId;
use rusqlite::Connection;

/// Unlocks an account's file.
#[derive(Clone)]
pub(crate) struct StoreKey {
    #[cfg(feature = "encryption")]
    secret: [u8; 32],
}

/// What the first bytes of a file that cannot be read say.
#[cfg(feature = "encryption")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Header {
    Ours,
    Plain,
    Other,
}

#[cfg(not(feature = "encryption"))]
impl StoreKey {
    /// Without the feature there is no key, and files are not encrypted.
    #[expect(clippy::unnecessary_wraps, reason = "with the feature a key can be missing")]
    pub(crate) fn find(
        _: AccountId,
        _: bool,
        _: &dyn KeyStore,
        _: &dyn Random,
    ) -> Result<Option<Self>, Error> {
        Ok(None)
    }

    #[expect(clippy::unused_self, clippy::unnecessary_wraps, reason = "there is never a key to unlock with")]
    pub(crate) fn unlock(&self, _: &Connection) -> Result<(), Error> {
        Ok(())
    }
}

#[cfg(feature = "encryption")]
impl StoreKey {
    /// The account's key; a new one if the file is new.
    pub(crate) fn find(
        account: AccountId,
        is_new: bool,
        keys: &dyn KeyStore,
        random: &dyn Random,
    ) -> Result<Option<Self>, Error> {
        start_sqlcipher();
        let name = crate::env::key_name(account, "store");
        if let Some(secret) = keys.load(&name)? {
            let secret = secret.try_into().map_err(|_| Error::WrongKey)?;
            return Ok(Some(Self { secret }));
        }
        if !is_new {
            return Err(Error::WrongKey);
        }
        let mut secret = [0; 32];
        random.fill(&mut secret).map_err(Error::NoRandomness)?;
        keys.save(&name, &secret)?;
        Ok(Some(Self { secret }))
    }

    /// Has to come before the first read. A key that does not fit leaves the file as it was.
    pub(crate) fn unlock(&self, connection: &Connection) -> Result<(), Error> {
        // It writes to the standard error output otherwise.
        connection.pragma_update(None, "cipher_log_level", "NONE")?;
        let key = format!("x'{}{}'", hex(&self.secret), hex(&self.salt()));
        connection.pragma_update(None, "key", key)?;
        // A SQLite without SQLCipher takes the key for granted and writes plain text.
        let version = connection.query_row("PRAGMA cipher_version", [], |row| row.get::<_, String>(0));
        version.map_err(|_| Error::Store("built without SQLCipher".into()))?;
        match connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get::<_, i64>(0)) {
            Ok(_) => Ok(()),
            Err(error) if error.sqlite_error_code() == Some(rusqlite::ErrorCode::NotADatabase) => {
                Err(match self.header(connection)? {
                    Header::Ours => Error::Damaged(error.to_string()),
                    Header::Plain => Error::NotEncrypted,
                    Header::Other => Error::WrongKey,
                })
            }
            Err(error) => Err(error.into()),
        }
    }

    fn salt(&self) -> [u8; 16] {
        use sha2::{Digest, Sha256};
        let hash = Sha256::new().chain_update(b"carboy store salt 1").chain_update(self.secret).finalize();
        let mut salt = [0; 16];
        salt.copy_from_slice(&hash[..16]);
        salt
    }

    /// Reads the file's first bytes through SQLite: closing a descriptor of one's own would drop its locks.
    fn header(&self, failed: &Connection) -> Result<Header, Error> {
        let path = failed.path().unwrap_or_default();
        let connection = Connection::open_with_flags(path, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        connection.pragma_update(None, "cipher_log_level", "NONE")?;
        connection.pragma_update(None, "key", format!("x'{}'", hex(&self.secret)))?;
        let salt: String = connection.query_row("PRAGMA cipher_salt", [], |row| row.get(0))?;
        Ok(match salt {
            salt if salt == hex(&self.salt()) => Header::Ours,
            salt if salt == hex(b"SQLite format 3\0") => Header::Plain,
            _ => Header::Other,
        })
    }
}

/// SQLite calls itself ready before the SQLCipher in it is: who opens a file at that moment is refused its key. So the
/// first in the process opens one of nobody's, and the others wait.
#[cfg(feature = "encryption")]
fn start_sqlcipher() {
    static STARTED: std::sync::Once = std::sync::Once::new();
    // Whatever fails here fails again, and is told, where the account's file is opened.
    STARTED.call_once(|| drop(Connection::open_in_memory()));
}

#[cfg(feature = "encryption")]
fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
