//! The files that a company installs the server with.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::process::Command;

#[test]
fn systemd_takes_the_unit_and_finds_nothing_wrong_with_it() {
    let Ok(version) = Command::new("systemd-analyze").arg("--version").output() else {
        eprintln!("no systemd-analyze here: the unit is not verified");
        return;
    };
    assert!(version.status.success());
    // The program need not be installed to have the unit read.
    let folder = tempfile::tempdir().unwrap();
    let unit = std::fs::read_to_string("dist/carboy-server.service").unwrap();
    let unit = unit.replace("/usr/local/bin/carboy-server", env!("CARGO_BIN_EXE_carboy-server"));
    let file = folder.path().join("carboy-server.service");
    std::fs::write(&file, unit).unwrap();
    let output = Command::new("systemd-analyze").args(["verify", "--man=no"]).arg(&file).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success() && !said.contains("carboy-server.service"), "{said}");
}
