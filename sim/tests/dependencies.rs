//! Dependencies point one way: `core` knows nothing of UniFFI, and `protocol` does no I/O.
#![allow(clippy::unwrap_used, reason = "a helper that fails fails its test")]

use std::path::Path;
use std::process::Command;

fn workspace() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// The names of everything that `package` is built of.
fn dependencies(package: &str) -> Vec<String> {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--package", package, "--edges", "normal", "--prefix", "none", "--format", "{p}"])
        .current_dir(workspace())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect()
}

#[test]
fn core_does_not_depend_on_uniffi_nor_on_the_server() {
    let found = dependencies("carboy-core");
    assert!(found.iter().any(|name| name == "carboy-protocol"), "{found:?}");
    let bad: Vec<_> = found
        .iter()
        .filter(|name| name.starts_with("uniffi") || *name == "carboy-server" || *name == "carboy-bindings")
        .collect();
    assert!(bad.is_empty(), "{bad:?}");
}

#[test]
fn protocol_brings_in_nothing_that_does_io_or_draws_randomness() {
    let found = dependencies("carboy-protocol");
    let io = ["tokio", "mio", "rusqlite", "reqwest", "hyper", "getrandom", "rand", "chrono", "time", "libc"];
    let bad: Vec<_> = found.iter().filter(|name| io.contains(&name.as_str())).collect();
    // libc alone is no I/O: sha2 asks it for the processor's features on some systems.
    assert!(bad.iter().all(|name| *name == "libc"), "{bad:?}");
}

#[test]
fn protocol_uses_no_part_of_the_standard_library_that_does_io_or_tells_the_time() {
    let mut files = 0;
    for entry in std::fs::read_dir(workspace().join("protocol/src")).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        for word in ["std::fs", "std::net", "std::io", "std::time", "std::env", "std::process", "std::thread"]
        {
            assert!(!text.contains(word), "{} uses {word}", path.display());
        }
        files += 1;
    }
    assert!(files > 5, "only {files} files were looked at");
}

#[test]
fn the_server_and_the_bindings_do_not_know_each_other() {
    assert!(!dependencies("carboy-server").iter().any(|name| name == "carboy-core"));
    assert!(!dependencies("carboy-bindings").iter().any(|name| name == "carboy-server"));
}
