//! `cargo xtask bench swift | kotlin | peers`: builds the program on the other side of the border, or installs the peers
//! from their registries, and measures.

use crate::process::{cargo, repository, run};
use crate::{bindings, setup, swift, swift_package};
use anyhow::{Context, Result};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

/// The Kotlin program's class.
const MAIN: &str = "app.carboy.BenchKt";

pub(crate) fn swift(rest: &[String]) -> Result<ExitCode> {
    let swift = swift::find()?;
    let library = library()?;
    let package = |what: &[&str]| swift.package_command("bindings/swift", what, &library, &[]);
    run(&mut package(&["build", "-c", "release", "--product", swift_package::BENCH])?)?;
    // What follows the product's name is the program's own.
    let mut program = package(&["run", "-c", "release", "--skip-build"])?;
    program.arg(swift_package::BENCH);
    // Where Swift runs in a folder of its own, it sees what is in this checkout.
    let disk = repository().join("target/bench");
    fs::create_dir_all(&disk)?;
    measure("swift", &program, &["--folder".into(), disk.into()], rest)
}

pub(crate) fn kotlin(rest: &[String]) -> Result<ExitCode> {
    setup::maven()?;
    let library = library()?;
    let package = repository().join("bindings/kotlin");
    let list = package.join("target/classpath");
    let mut maven = Command::new("mvn");
    maven.args(["--batch-mode", "--no-transfer-progress", "test-compile", "dependency:build-classpath"]);
    maven.arg("-DincludeScope=runtime").arg(property("mdep.outputFile", &list)).current_dir(&package);
    run(&mut maven)?;
    let dependencies = fs::read_to_string(&list).context("Maven wrote no class path")?;
    let classes = ["target/classes", "target/test-classes"].map(|folder| package.join(folder));
    let path = classes.into_iter().chain(std::env::split_paths(dependencies.trim()));
    let mut program = Command::new("java");
    program.arg(property("jna.library.path", &library)).arg("-cp").arg(std::env::join_paths(path)?).arg(MAIN);
    measure("kotlin", &program, &[], rest)
}

/// Installs the peers into the build folder as their locks say. One that cannot be installed is left out.
pub(crate) fn peers(rest: &[String]) -> Result<ExitCode> {
    setup::c_compiler()?;
    let (from, into) = (repository().join("bench/peers"), repository().join("target/peers"));
    fs::create_dir_all(&into)?;
    for entry in fs::read_dir(&from)? {
        let entry = entry?;
        let name = entry.file_name();
        if [".mjs", ".json"].iter().any(|end| name.to_string_lossy().ends_with(end)) {
            fs::copy(entry.path(), into.join(name))?;
        }
    }
    let mut npm = Command::new("npm");
    // Not `ci`: it refuses a lock that does not name the binaries for all other systems.
    npm.args(["install", "--no-save", "--no-audit", "--no-fund"]).current_dir(&into);
    setup::libclang()?;
    // PowerSync's crate asks for a newer compiler, for one macro that this one has only as an unstable feature.
    let mut rust = cargo(&["build", "--release", "--locked", "--ignore-rust-version", "--manifest-path"]);
    rust.arg(from.join("Cargo.toml")).arg("--target-dir").arg(into.join("rust"));
    // Each peer's own build of SQLite, not ours.
    rust.env("LIBSQLITE3_FLAGS", "");
    rust.env("RUSTC_BOOTSTRAP", "1").env("RUSTFLAGS", "-Zcrate-attr=feature(assert_matches)");
    for install in [&mut npm, &mut rust] {
        if let Err(error) = run(install) {
            println!("set-up: peers that cannot be installed: {error:#}");
        }
    }
    let mut command = cargo(&["run", "--release", "--package", "carboy-bench", "--", "peers"]);
    Err(command.args(rest).env("CARBOY_BENCH_PEERS", into).exec().into())
}

/// Generates the bindings and builds the library with all optimizations; tells its folder.
fn library() -> Result<PathBuf> {
    setup::c_compiler()?;
    bindings::generate()?;
    run(&mut cargo(&["build", "--release", "--package", "carboy-bindings"]))?;
    Ok(repository().join("target/release"))
}

fn property(name: &str, value: &Path) -> OsString {
    let mut argument = OsString::from(format!("-D{name}="));
    argument.push(value);
    argument
}

/// Replaces this process by the benchmark, which starts `program`.
fn measure(name: &str, program: &Command, options: &[OsString], rest: &[String]) -> Result<ExitCode> {
    let words: Vec<_> = std::iter::once(program.get_program()).chain(program.get_args()).collect();
    let mut command = cargo(&["run", "--release", "--package", "carboy-bench", "--", name]);
    command.args(options).args(rest).env("CARBOY_BENCH_PROGRAM", words.join(OsStr::new("\n")));
    Err(command.exec().into())
}
