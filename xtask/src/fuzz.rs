//! `cargo xtask fuzz [TARGET] [--seconds N]`: lets libFuzzer look for inputs on which something does not hold that must.
//!
//! What it finds interesting stays in `fuzz/found`, which is not kept in the repository; what fails is left in
//! `fuzz/artifacts`, from where it goes into `fuzz/regressions` together with its fix.

use crate::process::{answer, repository, run};
use crate::setup;
use anyhow::{Context, Result, bail, ensure};
use std::fs;
use std::process::{Command, ExitCode};

/// The targets, as `fuzz/Cargo.toml` names them.
const TARGETS: [&str; 4] = ["sync", "reply", "store", "resolution"];

/// How long each target runs unless it is said.
const SECONDS: u32 = 60;

/// An input that takes longer than this has failed, in seconds.
const TIMEOUT: u32 = 20;

pub(crate) fn fuzz(arguments: &[String]) -> Result<ExitCode> {
    let (targets, seconds) = asked(arguments)?;
    set_up()?;
    for target in targets {
        let part = |folder: &str| format!("fuzz/{folder}/{target}");
        for folder in ["found", "corpus", "regressions"] {
            fs::create_dir_all(repository().join(part(folder)))?;
        }
        // Without a sanitizer: there is no unsafe code but SQLite's, which it would not see, and it is twice as quick.
        let mut command = Command::new("rustup");
        command.args(["run", "nightly", "cargo", "fuzz", "run", "--sanitizer", "none", target]);
        command.args([part("found"), part("corpus"), part("regressions"), "--".into()]);
        command.args([format!("-max_total_time={seconds}"), format!("-timeout={TIMEOUT}")]);
        // A server or a phone says much of what is sent to it.
        command.args(["-max_len=4096", "-print_final_stats=1"]).current_dir(repository());
        run(&mut command)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn asked(arguments: &[String]) -> Result<(Vec<&'static str>, u32)> {
    let (mut targets, mut seconds) = (TARGETS.to_vec(), SECONDS);
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        if argument == "--seconds" {
            let number = arguments.next().context("--seconds needs a number")?;
            seconds = number.parse().with_context(|| format!("--seconds {number}"))?;
            ensure!(seconds > 0, "--seconds 0 would never end");
        } else if let Some(target) = TARGETS.into_iter().find(|target| target == argument) {
            targets = vec![target];
        } else {
            bail!("no fuzz target {argument}: there are {}", TARGETS.join(", "));
        }
    }
    Ok((targets, seconds))
}

/// The fuzzer's instrumentation needs Rust's nightly compiler, which is installed by whoever wants it.
fn set_up() -> Result<()> {
    let version = answer("rustup", &["run", "nightly", "rustc", "--version"]);
    let version = version
        .context("fuzzing needs Rust's nightly: rustup toolchain install nightly --profile minimal")?;
    println!("set-up: {version}");
    if answer("c++", &["--version"]).is_none() {
        setup::install("a C++ compiler", &["g++"])?;
    }
    if answer("cargo", &["fuzz", "--version"]).is_none() {
        println!("set-up: installing cargo-fuzz (cargo install)");
        run(Command::new("cargo").args(["install", "--locked", "cargo-fuzz"]))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn all_targets_run_for_a_minute_unless_it_is_said() {
        assert_eq!(asked(&[]).unwrap(), (TARGETS.to_vec(), SECONDS));
        assert_eq!(asked(&words("store --seconds 7")).unwrap(), (vec!["store"], 7));
        for wrong in ["sing", "--seconds", "--seconds 0", "--seconds x"] {
            assert!(asked(&words(wrong)).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_targets_are_those_of_the_fuzz_workspace() {
        let manifest = fs::read_to_string(repository().join("fuzz/Cargo.toml")).unwrap();
        let named: Vec<_> =
            manifest.lines().filter_map(|line| line.strip_prefix("path = \"fuzz_targets/")).collect();
        assert_eq!(named, TARGETS.map(|target| format!("{target}.rs\"")));
    }
}
