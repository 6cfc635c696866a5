//! `cargo xtask package swift`: the Swift package with the library for phones in it, as an XCFramework. Only a Mac with
//! Xcode can make one; elsewhere this says what is missing.

use crate::bindings;
use crate::process::{answer, cargo, repository, run};
use crate::setup::rust_target;
use anyhow::{Context, Result, bail, ensure};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where the package is made, a folder that is written anew as a whole.
const PACKAGE: &str = "target/package/swift";

const FRAMEWORK: &str = "CarboyFFI.xcframework";

/// What one library of the framework runs on, and what that is compiled for: a simulator's runs on both kinds of Mac.
const SLICES: [(&str, &[&str]); 2] =
    [("device", &["aarch64-apple-ios"]), ("simulator", &["aarch64-apple-ios-sim", "x86_64-apple-ios"])];

/// The program that `cargo xtask bench swift` measures.
pub(crate) const BENCH: &str = "CarboyBench";

/// The oldest iOS that it runs on, as in the package's own manifest.
const OLDEST_IOS: &str = "17.0";

/// Xcode's programs that make it, each with arguments with which it answers.
const TOOLS: [(&str, &[&str]); 4] = [
    ("xcodebuild", &["-version"]),
    ("lipo", &["-info", "/usr/bin/true"]),
    ("ditto", &["--help"]),
    ("swift", &["--version"]),
];

/// Builds the library for device and simulator and lays the package around it.
pub(crate) fn make() -> Result<()> {
    let missing = missing(std::env::consts::OS, |(tool, arguments)| answer(tool, arguments).is_some());
    ensure!(missing.is_empty(), "an XCFramework cannot be made here: {}", missing.join("; "));
    let package = repository().join(PACKAGE);
    if package.exists() {
        fs::remove_dir_all(&package)?;
    }
    fs::create_dir_all(&package)?;
    bindings::generate()?;
    let checksum = framework(&package)?;
    sources(&package, &checksum)?;
    println!("made {PACKAGE}; checksum of {FRAMEWORK}.zip: {checksum}");
    Ok(())
}

/// What a machine lacks for it, in words.
fn missing(system: &str, has: impl Fn(&(&'static str, &'static [&'static str])) -> bool) -> Vec<String> {
    let mut missing = Vec::new();
    if system != "macos" {
        missing
            .push(format!("Apple's SDKs for iOS come with Xcode, which runs on macOS, and this is {system}"));
    }
    let tools = TOOLS.iter().filter(|tool| !has(tool)).map(|(tool, _)| *tool).collect::<Vec<_>>();
    if !tools.is_empty() {
        missing.push(format!(
            "not on the PATH: {} (install Xcode and run `xcode-select --install`)",
            tools.join(", ")
        ));
    }
    missing
}

/// Makes the framework's archive in `package` and tells its checksum.
fn framework(package: &Path) -> Result<String> {
    let mut command = Command::new("xcodebuild");
    command.arg("-create-xcframework");
    for (name, targets) in SLICES {
        command.arg("-library").arg(slice(package, name, targets)?);
        command.arg("-headers").arg(repository().join("bindings/swift/generated/CarboyFFI"));
    }
    let framework = package.join(FRAMEWORK);
    run(command.arg("-output").arg(&framework))?;
    let archive = package.join(format!("{FRAMEWORK}.zip"));
    run(Command::new("ditto").args(["-c", "-k", "--keepParent"]).args([&framework, &archive]))?;
    fs::remove_dir_all(&framework)?;
    let archive = archive.to_str().context("the folder's name is no UTF-8")?;
    answer("swift", &["package", "compute-checksum", archive])
        .context("`swift package compute-checksum` failed")
}

/// The library for these targets as one file.
fn slice(package: &Path, name: &str, targets: &[&str]) -> Result<PathBuf> {
    let mut libraries = Vec::new();
    for target in targets {
        rust_target(target)?;
        let build = ["build", "--release", "--package", "carboy-bindings", "--target", target];
        run(cargo(&build).env("IPHONEOS_DEPLOYMENT_TARGET", OLDEST_IOS))?;
        libraries.push(repository().join("target").join(target).join("release/libcarboy.a"));
    }
    let folder = package.join("build").join(name);
    fs::create_dir_all(&folder)?;
    let library = folder.join("libcarboy.a");
    run(Command::new("lipo").arg("-create").args(&libraries).arg("-output").arg(&library))?;
    Ok(library)
}

/// Lays the Swift sources and the manifest beside the framework.
fn sources(package: &Path, checksum: &str) -> Result<()> {
    let swift = repository().join("bindings/swift");
    for (from, to) in [
        ("Sources/Carboy", "Carboy"),
        ("Sources/CarboyIds", "CarboyIds"),
        ("generated/CarboyBindings", "CarboyBindings"),
    ] {
        copy(&swift.join(from), &package.join("Sources").join(to))?;
    }
    fs::write(package.join("Package.swift"), manifest(checksum))?;
    let build = package.join("build");
    fs::remove_dir_all(&build).with_context(|| format!("cannot remove {}", build.display()))
}

fn manifest(checksum: &str) -> String {
    include_str!("../swift/Package.swift").replace("@CHECKSUM@", checksum)
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from).with_context(|| format!("cannot read {}", from.display()))? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else if fs::copy(entry.path(), &target).is_err() {
            bail!("cannot copy {} to {}", entry.path().display(), target.display());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_without_xcode_is_told_each_thing_that_is_missing() {
        let linux = missing("linux", |(tool, _)| *tool == "swift");
        assert_eq!(
            linux,
            [
                "Apple's SDKs for iOS come with Xcode, which runs on macOS, and this is linux",
                "not on the PATH: xcodebuild, lipo, ditto (install Xcode and run `xcode-select --install`)"
            ]
        );
        assert!(missing("macos", |_| true).is_empty());
    }

    #[test]
    fn the_manifest_has_the_sources_of_the_one_in_the_repository_and_the_checksum() {
        let manifest = manifest("7f3a");
        assert!(manifest.contains("checksum: \"7f3a\""), "{manifest}");
        let ours = include_str!("../../bindings/swift/Package.swift");
        for line in [
            "    platforms: [.iOS(.v17), .macOS(.v14)],",
            ".target(name: \"Carboy\", dependencies: [\"CarboyBindings\", \"CarboyIds\"]),",
        ] {
            assert!(ours.contains(line) && manifest.contains(line), "{line}");
        }
        assert!(OLDEST_IOS.starts_with("17"));
    }
}
