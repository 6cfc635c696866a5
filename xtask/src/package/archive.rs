//! What is inside a jar or an AAR, held against what must be.

use super::elf::{self, PAGE};
use super::ndk::Abi;
use crate::process::run;
use anyhow::{Context, Result, bail, ensure};
use std::path::{Path, PathBuf};
use std::process::Command;

/// What an archive must be like.
pub(super) struct Expected<'a> {
    /// Entries that must be there.
    pub(super) needed: Vec<String>,
    /// What each `jni/ABI/….so` in it is for; libraries of other kinds of processors are left alone.
    pub(super) libraries: &'a [Abi],
}

/// An archive and its entries.
pub(super) struct Archive {
    file: PathBuf,
    entries: Vec<String>,
}

impl Archive {
    pub(super) fn open(file: &Path) -> Result<Self> {
        let output = Command::new("jar")
            .arg("--list")
            .arg("--file")
            .arg(file)
            .output()
            .context("cannot start `jar`")?;
        ensure!(output.status.success(), "{} is no archive", file.display());
        let entries = String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect();
        Ok(Self { file: file.to_owned(), entries })
    }

    /// Fails with all that is wrong with it.
    pub(super) fn check(&self, expected: &Expected<'_>) -> Result<()> {
        let mut wrong: Vec<String> = expected
            .needed
            .iter()
            .filter(|needed| !self.entries.contains(needed))
            .map(|needed| format!("no {needed}"))
            .collect();
        wrong.extend(
            self.entries.iter().filter(|entry| is_test(entry)).map(|entry| format!("a test: {entry}")),
        );
        wrong.extend(self.libraries(expected.libraries)?);
        if !wrong.is_empty() {
            bail!("{}: {}", self.file.display(), wrong.join("; "));
        }
        println!("checked {}: {} entries", self.file.display(), self.entries.len());
        Ok(())
    }

    /// What is wrong with the native libraries.
    fn libraries(&self, abis: &[Abi]) -> Result<Vec<String>> {
        let of = |entry: &str| abis.iter().find(|abi| entry.starts_with(&format!("jni/{}/", abi.name)));
        let found: Vec<_> = self.entries.iter().filter(|entry| entry.ends_with(".so")).collect();
        if !found.iter().any(|entry| of(entry).is_some()) {
            return Ok(Vec::new());
        }
        let folder = self.file.with_extension("unpacked");
        std::fs::create_dir_all(&folder)?;
        run(Command::new("jar")
            .arg("--extract")
            .arg("--file")
            .arg(self.file.canonicalize()?)
            .current_dir(&folder))?;
        let mut wrong = Vec::new();
        for entry in found {
            let Some(abi) = of(entry) else { continue };
            let library = elf::read(&folder.join(entry))?;
            if library.machine != abi.machine {
                wrong.push(format!("{entry} is for machine {}, not {}", library.machine, abi.machine));
            }
            if library.alignment < PAGE {
                wrong.push(format!("{entry} is aligned to {} bytes, less than {PAGE}", library.alignment));
            }
        }
        std::fs::remove_dir_all(&folder)?;
        Ok(wrong)
    }
}

/// Classes and sources of tests, which end so by this project's rule, and what they run on.
fn is_test(entry: &str) -> bool {
    let name = entry.rsplit('/').next().unwrap_or(entry);
    let name = name.split(['.', '$']).next().unwrap_or(name);
    name.ends_with("Test")
        || name.ends_with("TestKt")
        || name == "TestServer"
        || entry.starts_with("org/junit/")
}

#[cfg(test)]
mod tests {
    use super::super::elf::tests::library;
    use super::super::ndk::ABIS;
    use super::*;
    use std::fs;

    const NEEDED: [&str; 2] = ["AndroidManifest.xml", "jni/arm64-v8a/libcarboy.so"];

    /// What the check says of an AAR with these entries.
    fn checked(name: &str, entries: &[(&str, Vec<u8>)]) -> Result<(), String> {
        let folder = std::env::temp_dir().join(format!("carboy-archive-{}-{name}", std::process::id()));
        for (entry, content) in entries {
            let path = folder.join("in").join(entry);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        let aar = folder.join("a.aar");
        run(Command::new("jar")
            .args(["--create", "--no-manifest", "--file"])
            .arg(&aar)
            .arg("-C")
            .arg(folder.join("in"))
            .arg("."))
        .unwrap();
        let expected = Expected { needed: NEEDED.map(str::to_owned).to_vec(), libraries: &ABIS };
        let result = Archive::open(&aar).unwrap().check(&expected).map_err(|error| error.to_string());
        fs::remove_dir_all(folder).unwrap();
        result.map_err(|error| error.split_once("a.aar: ").unwrap().1.to_owned())
    }

    #[test]
    fn an_archive_with_all_that_it_needs_passes() {
        let entries = [("AndroidManifest.xml", vec![]), (NEEDED[1], library(183, true, 0x4000))];
        assert_eq!(checked("good", &entries), Ok(()));
    }

    #[test]
    fn what_is_missing_is_named() {
        assert_eq!(
            checked("empty", &[("R.txt", vec![])]),
            Err(format!("no {}; no {}", NEEDED[0], NEEDED[1]))
        );
    }

    #[test]
    fn classes_of_tests_do_not_belong_in_it() {
        let entries = [
            ("AndroidManifest.xml", vec![]),
            (NEEDED[1], library(183, true, 0x4000)),
            ("app/carboy/LeakTest$shown$2.class", vec![]),
        ];
        assert_eq!(checked("tests", &entries), Err("a test: app/carboy/LeakTest$shown$2.class".to_owned()));
    }

    #[test]
    fn a_library_for_small_pages_or_for_another_processor_is_found() {
        let entries = [("AndroidManifest.xml", vec![]), (NEEDED[1], library(62, true, 0x1000))];
        let wrong = format!(
            "{} is for machine 62, not 183; {} is aligned to 4096 bytes, less than 16384",
            NEEDED[1], NEEDED[1]
        );
        assert_eq!(checked("small", &entries), Err(wrong));
    }
}
