//! A store's file of any bytes, the phone's and the server's: opening it never panics and loses no file; what cannot be
//! used is told by a typed error, and a phone that can be opened records again.
//!
//! The first byte says whose file it is, and whether the others are the file or what is changed in a good one.

use super::phone::{self, Phone};
use super::{Files, temporary};
use crate::plant::{Plant, Setting, file, kes};
use carboy_core::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// The server's files as a kill leaves them, with what is known of its plant.
fn plant() -> &'static (Files, Setting) {
    static PREPARED: OnceLock<(Files, Setting)> = OnceLock::new();
    PREPARED.get_or_init(|| {
        let folder = temporary();
        let setting = Setting::prepare(folder.path());
        // Without a clean end, what was written last is in the WAL.
        let plant = Plant::open(&file(folder.path()), &setting).unwrap();
        plant.server.create_rider(setting.manager.plant, "Juma").unwrap();
        (Files::of(folder.path()), setting)
    })
}

/// Runs the target.
pub fn store(data: &[u8]) {
    let Some((&how, rest)) = data.split_first() else { return };
    let folder = temporary();
    if how & 1 == 0 {
        let (options, _) = phone::options(folder.path());
        damage(phone::prepared(), &options.file(), how, rest);
        phones(folder.path(), &options.file());
    } else {
        damage(&plant().0, &file(folder.path()), how, rest);
        servers(&file(folder.path()));
    }
}

/// Lays the files down with something changed: the database's or its WAL's bytes, all of them or some.
fn damage(files: &Files, database: &Path, how: u8, bytes: &[u8]) {
    let folder = database.parent().unwrap();
    files.lay_down(folder);
    let target = if how & 2 == 0 { database.to_owned() } else { beside(database, "-wal") };
    let mut content = fs::read(&target).unwrap_or_default();
    match how >> 2 & 3 {
        0 => content = bytes.to_vec(),
        1 => {
            let at = bytes.iter().take(3).fold(0, |at, byte| at << 8 | usize::from(*byte));
            content.truncate(at);
        }
        _ => patches(&mut content, bytes),
    }
    fs::write(target, content).unwrap();
    if how & 16 != 0 {
        drop(fs::remove_file(beside(database, "-wal")));
    }
    if how & 32 != 0 {
        drop(fs::remove_file(beside(database, "-shm")));
    }
}

/// Each patch is three bytes of offset, one of length, and so many bytes.
fn patches(content: &mut [u8], mut bytes: &[u8]) {
    while let [a, b, c, length, rest @ ..] = bytes {
        let (patch, rest) = rest.split_at(usize::from(*length).min(rest.len()));
        let at = usize::from(*a) << 16 | usize::from(*b) << 8 | usize::from(*c);
        let room = content.len().saturating_sub(at).min(patch.len());
        if room > 0 {
            content[at..at + room].copy_from_slice(&patch[..room]);
        }
        bytes = rest;
    }
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Whether some file in the folder begins with these bytes still.
fn is_kept(folder: &Path, bytes: &[u8]) -> bool {
    let mut files = fs::read_dir(folder).unwrap().map(Result::unwrap);
    files.any(|entry| entry.file_type().unwrap().is_file() && fs::read(entry.path()).unwrap() == bytes)
}

fn phones(folder: &Path, database: &Path) {
    let before = fs::read(database).unwrap();
    // What proves damaged in use is salvaged when it is opened again.
    for _ in 0..4 {
        let phone = match Phone::open(folder) {
            Ok(phone) => phone,
            Err(Error::NotAStore(_) | Error::WrongAccount { .. } | Error::NewerSchema { .. }) => {
                assert!(is_kept(folder, &before), "a file that is not ours was changed");
                return;
            }
            Err(error) => panic!("the store cannot be opened: {error:?}"),
        };
        let is_set_aside = fs::read_dir(folder)
            .unwrap()
            .any(|entry| entry.unwrap().file_name().to_string_lossy().contains("-damaged-"));
        let recorded = phone.engine.hand_in_cash(kes(1), None);
        let looked = phone.look();
        if recorded.is_ok() && looked.is_ok() {
            return;
        }
        assert!(!is_set_aside, "a salvaged store does not work: {recorded:?} {looked:?}");
        let typed = |error: Option<&Error>| {
            assert!(matches!(error, None | Some(Error::Damaged(_))), "{error:?}");
        };
        typed(recorded.as_ref().err());
        typed(looked.as_ref().err());
    }
    panic!("the store does not mend");
}

fn servers(database: &Path) {
    let folder = database.parent().unwrap();
    let read = |path: PathBuf| fs::read(path).unwrap_or_default();
    let (before, wal) = (read(database.to_owned()), read(beside(database, "-wal")));
    let Ok(plant) = Plant::open(database, &plant().1) else {
        assert!(is_kept(folder, &before), "the database is gone");
        assert!(wal.is_empty() || is_kept(folder, &wal), "the WAL is gone");
        return;
    };
    let history = &plant.setting.history;
    let request = history.request(0, 0, &plant.setting.key);
    if let Ok(auth) = plant.auth() {
        drop(plant.server.handle_sync(&auth, &request));
    }
    drop(plant.server.plants());
    drop(plant);
    assert!(database.exists());
}
