//! The project's own commands: `cargo xtask test | bindings | package | demo | sim | fuzz | bench`.

mod android;
mod bench;
mod bindings;
mod browser;
mod crossing;
mod examples;
mod fuzz;
mod package;
mod process;
mod report;
mod setup;
mod swift;
mod swift_package;
mod tally;
mod test;

use anyhow::Result;
use std::os::unix::process::CommandExt;
use std::process::ExitCode;

const USAGE: &str = "usage: cargo xtask COMMAND [ARGS…]

  test       every test and check: Rust, Kotlin on the JVM, Android, Swift; `test android`, `test swift`: those alone;
             `test android app`: those of one module
  bindings   the Kotlin and Swift sides of the bindings, generated from the Rust crate
  package    what an app's developer adds: `package kotlin`, the jar for the JVM; `package android`, the AAR; `package
             swift`, an XCFramework and its package (on a Mac); each checked
  demo       a morning of three riders against a real server; ARGS go to the demo (`--help` lists them)
  sim        the simulator: whole plants under every fault, from a seed; ARGS go to it (`--help` lists them)
  fuzz       the fuzzer: `fuzz [TARGET] [--seconds N]`, a minute for each target; needs Rust's nightly
  bench      the benchmarks; ARGS go to them (`bench swift` and `bench kotlin` build the program on the other side too,
             `bench peers` installs the peers)

Each installs what it needs on a Debian machine, and says so.";

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let command = arguments.next().unwrap_or_default();
    let rest: Vec<String> = arguments.collect();
    let result = match (command.as_str(), rest.as_slice()) {
        ("test", []) => test::all(),
        ("test", [part, modules @ ..]) if part == "android" => test::android(modules),
        ("test", [part]) if part == "swift" => test::swift(),
        ("bindings", []) => bindings::generate().map(|()| ExitCode::SUCCESS),
        ("package", [what]) if what == "kotlin" => package::kotlin(),
        ("package", [what]) if what == "android" => package::android(),
        ("package", [what]) if what == "swift" => swift_package::make().map(|()| ExitCode::SUCCESS),
        ("demo", _) => become_cargo(&["--package", "carboy-sim", "--bin", "demo"], &rest),
        ("sim", _) => {
            become_cargo(&["--package", "carboy-sim", "--features", "planted", "--bin", "sim"], &rest)
        }
        ("fuzz", _) => fuzz::fuzz(&rest),
        ("bench", [what, rest @ ..]) if what == "swift" => bench::swift(rest),
        ("bench", [what, rest @ ..]) if what == "kotlin" => bench::kotlin(rest),
        ("bench", [what, rest @ ..]) if what == "peers" => bench::peers(rest),
        ("bench", _) => become_cargo(&["--package", "carboy-bench"], &rest),
        ("help" | "--help" | "-h", _) => {
            println!("{USAGE}");
            Ok(ExitCode::SUCCESS)
        }
        _ => {
            eprintln!("{USAGE}");
            Ok(ExitCode::from(2))
        }
    };
    result.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}

/// Replaces this process by `cargo run --release`, so that signals and the exit code go straight through.
fn become_cargo(what: &[&str], arguments: &[String]) -> Result<ExitCode> {
    setup::c_compiler()?;
    let error = process::cargo(&["run", "--release"]).args(what).arg("--").args(arguments).exec();
    Err(error.into())
}
