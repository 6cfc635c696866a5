//! What the library for phones takes: built as it is packed, for this machine's processor as a stand-in for theirs.

use crate::marks::Marks;
use anyhow::{Context, Result, ensure};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What a library for Android is linked with to be small, as a linker for Linux takes it.
const LINKED: &str = "-Clink-arg=-Wl,-z,pack-relative-relocs,--icf=safe";

/// How many parts are named.
const NAMED: usize = 14;

/// Builds the library with its symbols, in a folder of its own, and looks at it with and without them. A quick run
/// takes the one that was built before, if any.
pub(crate) fn run(folder: &Path, quick: bool, marks: &mut Marks) -> Result<()> {
    let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/size");
    let library = target.join("phone/libcarboy.so");
    if quick && !library.exists() {
        println!("  the library was not built yet, which takes minutes: run it once without --quick");
        return Ok(());
    }
    if !quick {
        build(&target)?;
    }
    let stripped = folder.join("libcarboy.so");
    output(Command::new("strip").arg("-o").arg(&stripped).arg(&library))?;
    let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    println!("the library of the profile `phone`, for {}", std::env::consts::ARCH);
    let parts = parts(&library)?;
    let named: u64 = parts.iter().map(|part| part.1).sum();
    for (name, bytes) in parts.iter().take(NAMED) {
        marks.note(&format!("code and constants of {name}"), mib(*bytes), "MiB");
    }
    let all = std::fs::metadata(&stripped)?.len();
    marks.note("code and constants with a name", mib(named), "MiB");
    marks.at_most("stripped library", mib(all), 5.0, "MiB");
    Ok(())
}

fn build(target: &Path) -> Result<()> {
    let cargo = std::env::var_os("CARGO").map_or_else(|| PathBuf::from("cargo"), PathBuf::from);
    let mut build = Command::new(cargo);
    build.args(["rustc", "--quiet", "--package", "carboy-bindings", "--lib", "--crate-type", "cdylib"]);
    build.args(["--profile", "phone", "--config", "profile.phone.strip=false", "--target-dir"]).arg(target);
    build.args(["--", LINKED]);
    build.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."));
    ensure!(build.status()?.success(), "the library cannot be built");
    Ok(())
}

/// What the named functions and constants of each crate take, in bytes, the largest first.
fn parts(library: &Path) -> Result<Vec<(String, u64)>> {
    let symbols = output(
        Command::new("nm").args(["--print-size", "--size-sort", "--demangle=rust", "--radix=d"]).arg(library),
    )?;
    let mut parts = BTreeMap::new();
    for line in symbols.lines() {
        let mut words = line.splitn(4, ' ').skip(1);
        let (size, kind, name) = (words.next(), words.next(), words.next());
        let ((size, kind), name) = size.zip(kind).zip(name).with_context(|| format!("nm said {line:?}"))?;
        // What is filled with zeros at the start takes no room in the file.
        if !matches!(kind, "b" | "B") {
            *parts.entry(owner(name)).or_default() += size.parse::<u64>()?;
        }
    }
    let mut parts: Vec<_> = parts.into_iter().collect();
    parts.sort_by_key(|part| std::cmp::Reverse(part.1));
    Ok(parts)
}

/// The crate of a symbol, as far as its name says it.
fn owner(symbol: &str) -> String {
    let path = symbol.trim_start_matches(|letter: char| "<&*(".contains(letter));
    let path = ["mut ", "dyn ", "const "].iter().fold(path, |path, word| path.trim_start_matches(word));
    match path.split_once("::") {
        Some((name, _)) => name.to_owned(),
        None if path.starts_with("ring_core") => "ring".to_owned(),
        None if path.starts_with("sqlite3") => "SQLite".to_owned(),
        // SQLite is the only C code but for ring's, whose names all begin alike.
        None if path.starts_with("uniffi_") || path.starts_with("ffi_") => "UniFFI's functions".to_owned(),
        None => "SQLite".to_owned(),
    }
}

fn output(command: &mut Command) -> Result<String> {
    let output = command.output().with_context(|| format!("cannot run {command:?}"))?;
    ensure!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_symbol_belongs_to_its_crate() {
        for (symbol, owned_by) in [
            ("carboy_core::query::stops", "carboy_core"),
            ("<alloc::vec::Vec<T> as core::clone::Clone>::clone", "alloc"),
            ("<&mut serde_json::ser::Serializer<W> as serde::Serializer>::serialize_str", "serde_json"),
            ("core::ptr::drop_in_place<rustls::Error>", "core"),
            ("sqlite3VdbeExec", "SQLite"),
            ("yy_reduce", "SQLite"),
            ("ring_core_0_17_14__sha256_block_data_order", "ring"),
            ("uniffi_carboy_fn_method_rider_stops", "UniFFI's functions"),
        ] {
            assert_eq!(owner(symbol), owned_by, "{symbol}");
        }
    }
}
