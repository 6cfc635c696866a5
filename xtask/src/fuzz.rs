//! `cargo xtask fuzz [TARGET] [--seconds N]`: lets libFuzzer look for inputs on which something does not hold that must.
//!
//! What it finds interesting stays in `fuzz/found`, which is not kept in the repository; an input that fails is left in
//! `fuzz/artifacts`, from where it goes into `fuzz/regressions` together with its fix. The layout is cargo-fuzz's, which
//! is not needed: the instrumentation is a pass of LLVM's that stable Rust takes too.

use crate::process::{answer, cargo, repository, run};
use crate::setup;
use anyhow::{Context, Result, bail, ensure};
use std::fs;
use std::process::ExitCode;

/// The targets, as `fuzz/Cargo.toml` names them.
const TARGETS: [&str; 4] = ["sync", "reply", "store", "resolution"];

/// How long each target runs unless it is said.
const SECONDS: u32 = 60;

/// What makes a program tell libFuzzer where it has been and what it compares with what.
const INSTRUMENTED: [&str; 7] = [
    "--cfg=fuzzing",
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
    "-Clink-dead-code",
];

/// A minute for each: an input that takes longer than 20 s has failed. Nothing is learnt from very long ones.
const LIMITS: [&str; 4] = ["-timeout=20", "-max_len=4096", "-rss_limit_mb=4096", "-print_final_stats=1"];

pub(crate) fn fuzz(arguments: &[String]) -> Result<ExitCode> {
    let (targets, seconds) = asked(arguments)?;
    if answer("c++", &["--version"]).is_none() {
        setup::install("a C++ compiler", &["g++"])?;
    }
    let version = answer("rustc", &["-vV"]).context("`rustc -vV` fails")?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    let host = host.context("`rustc -vV` names no host")?;
    for target in targets {
        let part = |folder: &str| format!("fuzz/{folder}/{target}");
        for folder in ["found", "corpus", "regressions", "artifacts"] {
            fs::create_dir_all(repository().join(part(folder)))?;
        }
        // With the target named, build scripts and macros are left as they are.
        let build = ["run", "--release", "--manifest-path", "fuzz/Cargo.toml", "--target", host, "--bin"];
        let mut command = cargo(&build);
        command.env("CARGO_ENCODED_RUSTFLAGS", INSTRUMENTED.join("\u{1f}"));
        command.args([target, "--"]).args(["found", "corpus", "regressions"].map(part)).args(LIMITS);
        command.arg(format!("-max_total_time={seconds}"));
        command.arg(format!("-artifact_prefix={}/", part("artifacts")));
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
