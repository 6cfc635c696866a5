//! What the dashboard's tests look at its pages with: Chromium, letters for its languages, and axe-core.

use crate::process::{answer, run};
use crate::setup::{cache, install};
use anyhow::{Context, Result, ensure};
use std::fs;
use std::path::Path;
use std::process::Command;

/// The checker of accessibility: its release, and the SHA-512 of its one file.
const AXE: (&str, &str) = (
    "axe-core@4.14.1",
    "e63e659f9806d7ae5bd40899043b0871a5062c5442b01b3f1a3edf5eaf50bf5c\
     3a7104a72463293b4ad1b77c661a0d4e40e850dec89de9d6ece70a8c13a9af17",
);

/// Makes sure of all of it.
pub(crate) fn set_up() -> Result<()> {
    if answer("chromedriver", &["--version"]).is_none() {
        install("Chromium", &["chromium", "chromium-driver"])?;
    }
    let version = answer("chromedriver", &["--version"]).context("`chromedriver --version` fails")?;
    println!("set-up: {version}");
    letters()?;
    axe()
}

/// Latin, Devanagari and Arabic letters: a page whose letters are boxes has other widths, and no reader.
fn letters() -> Result<()> {
    let missing = |language: &&str| {
        answer("fc-list", &[format!(":lang={language}")]).is_none_or(|fonts| fonts.is_empty())
    };
    if ["fr", "hi", "ar"].iter().any(missing) {
        install("fonts", &["fontconfig", "fonts-noto-core"])?;
    }
    Ok(())
}

/// Puts axe-core where the tests look for it. Debian has no package of it, and npm is how its makers hand it out.
fn axe() -> Result<()> {
    let (release, hash) = AXE;
    let folder = cache()?;
    let file = folder.join("axe.min.js");
    if sha512(&file).as_deref() != Some(hash) {
        if answer("npm", &["--version"]).is_none() {
            install("npm", &["npm"])?;
        }
        println!("set-up: fetching {release} from npm");
        fs::create_dir_all(&folder)?;
        let fetch = r#"cd "$0" && archive=$(npm pack --silent "$1") &&
            tar -xzOf "$archive" package/axe.min.js >axe.min.js && rm "$archive""#;
        run(Command::new("sh").args(["-c", fetch]).arg(&folder).arg(release))?;
        ensure!(sha512(&file).as_deref() == Some(hash), "{} is not what {release} had", file.display());
    }
    println!("set-up: {release}");
    Ok(())
}

fn sha512(file: &Path) -> Option<String> {
    let line = answer("sha512sum", &[file])?;
    line.split(' ').next().map(str::to_owned)
}
