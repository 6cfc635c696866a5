//! Encrypted at rest: without its key a store tells nothing and is left as it is.
#![cfg(feature = "encryption")]
#![allow(clippy::unwrap_used)]

mod support;

use carboy_core::{Attention, Engine, Error, KeyStore, MemoryKeys, Options};
use carboy_protocol::Field;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use support::*;

const SECRET: &str = "A Name Nobody Else Has";

fn store_key() -> String {
    format!("carboy.{}.store", identity().account)
}

fn with_keys(folder: &Path, keys: MemoryKeys) -> Options {
    Options { keys: Arc::new(keys), ..options(folder) }
}

fn a_store(folder: &Path) {
    let phone = Phone::with_plant(folder);
    phone.engine.update_profile(customer(1), [(Field::Name, SECRET.into())].into()).unwrap();
}

/// The folder's files with their bytes; without the WAL's index, which SQLite makes anew each time.
fn content(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let files = files.filter(|path| !path.to_str().unwrap().ends_with("-shm"));
    let mut files: Vec<_> =
        files.map(|path| (path.display().to_string(), fs::read(&path).unwrap())).collect();
    files.sort();
    files
}

fn assert_refused(options: &Options, is_expected: fn(&Error) -> bool) {
    let before = content(&options.folder);
    let error = Engine::open(options).err().unwrap();
    assert!(is_expected(&error), "{error:?}");
    assert!(content(&options.folder) == before, "a refused file was changed");
}

#[test]
fn no_file_of_a_store_holds_plain_text() {
    let folder = tempfile::tempdir().unwrap();
    let phone = Phone::with_plant(folder.path());
    phone.engine.update_profile(customer(1), [(Field::Name, SECRET.into())].into()).unwrap();
    let holds = |text: &str| {
        let holds = |bytes: &[u8]| bytes.windows(text.len()).any(|window| window == text.as_bytes());
        content(folder.path()).iter().any(|(_, bytes)| holds(bytes))
    };
    for text in [SECRET, "Customer 2", "update_profile", "SQLite format 3", "CREATE TABLE"] {
        assert!(!holds(text), "{text}");
    }
    drop(phone);
    assert!(!holds(SECRET));
    let phone = Phone::empty(folder.path());
    assert_eq!(phone.engine.customer(customer(1)).unwrap().name, SECRET);
}

#[test]
fn a_new_store_gets_a_key_of_its_own() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let keys = [one.path(), two.path()].map(|folder| {
        let options = with_keys(folder, MemoryKeys::default());
        let options = Options { random: Arc::new(carboy_core::SystemRandom), ..options };
        drop(Engine::open(&options).unwrap());
        drop(Engine::open(&options).unwrap());
        options.keys.load(&store_key()).unwrap().unwrap()
    });
    assert_eq!(keys[0].len(), 32);
    assert_ne!(keys[0], keys[1]);
}

#[test]
fn another_key_is_refused_and_the_file_is_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    a_store(folder.path());
    let keys = MemoryKeys::default();
    keys.save(&store_key(), &[9; 32]).unwrap();
    assert_refused(&with_keys(folder.path(), keys), |error| matches!(error, Error::WrongKey));
    let short = MemoryKeys::default();
    short.save(&store_key(), b"short").unwrap();
    assert_refused(&with_keys(folder.path(), short), |error| matches!(error, Error::WrongKey));
    // Not a key at all, for a file that is there: a new key would not open it either.
    let none = MemoryKeys::default();
    assert_refused(&with_keys(folder.path(), none), |error| matches!(error, Error::WrongKey));
    assert_eq!(Phone::empty(folder.path()).pending(), 1);
}

#[test]
fn another_key_for_a_store_in_use_is_refused_and_disturbs_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let phone = Phone::with_plant(folder.path());
    let keys = MemoryKeys::default();
    keys.save(&store_key(), &[9; 32]).unwrap();
    assert_refused(&with_keys(folder.path(), keys), |error| matches!(error, Error::WrongKey));
    phone.engine.collect_cash(customer(1), kes(5)).unwrap();
    drop(phone);
    assert_eq!(Phone::empty(folder.path()).pending(), 1);
}

#[test]
fn a_file_that_is_not_encrypted_is_refused_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let plain = rusqlite::Connection::open(file(folder.path())).unwrap();
    plain.execute_batch("CREATE TABLE meta (one); INSERT INTO meta VALUES (1)").unwrap();
    drop(plain);
    assert_refused(&options(folder.path()), |error| matches!(error, Error::NotEncrypted));
}

#[test]
fn a_damaged_first_page_is_damage_and_not_a_wrong_key() {
    for (from, to) in [(16, 4_096), (100, 200), (4_000, 4_096)] {
        let folder = tempfile::tempdir().unwrap();
        a_store(folder.path());
        let path = file(folder.path());
        let mut bytes = fs::read(&path).unwrap();
        bytes[from..to].fill(0xa5);
        fs::write(&path, &bytes).unwrap();
        for suffix in ["-wal", "-shm"] {
            fs::remove_file(format!("{}{suffix}", path.display())).unwrap();
        }
        let phone = Phone::empty(folder.path());
        let told = phone.engine.attention(0, 9).unwrap();
        assert!(matches!(told[..], [Attention::FileDamaged { .. }]), "{told:?}");
        let aside = content(folder.path()).into_iter().find(|(name, _)| name.contains("-damaged-")).unwrap();
        assert!(aside.1 == bytes);
    }
}
