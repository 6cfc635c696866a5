//! `cargo xtask test`: every check and test suite, one after another, whatever became of the one before.

use crate::android::{self, Module};
use crate::process::{built, cargo, repository, run};
use crate::report::Report;
use crate::setup::{c_compiler, maven, openssl_tools, postgresql, rust_components, rust_target};
use crate::swift::{self, Swift};
use crate::{bindings, browser, tally};
use anyhow::{Error, Result, bail, ensure};
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

/// What phones run, and what it is compiled for there.
const ON_PHONES: [(&str, &str); 4] = [
    ("carboy-core", "aarch64-linux-android"),
    ("carboy-bindings", "aarch64-linux-android"),
    ("carboy-core", "aarch64-apple-ios"),
    ("carboy-bindings", "aarch64-apple-ios"),
];

/// The core's tests on an encrypted store. In a folder of its own: SQLite is built in another way, and each build would
/// undo the other's.
const ENCRYPTED: [&str; 8] = [
    "test",
    "--package",
    "carboy-core",
    "--features",
    "encryption",
    "--target-dir",
    "target/encrypted",
    "--no-fail-fast",
];

/// The simulator, in a build that can have bugs put in. As a part of the workspace, so that what it is built of stays as
/// the Rust tests have it.
const SIMULATOR: [&str; 9] = [
    "test",
    "--workspace",
    "--features",
    "carboy-sim/planted",
    "--test",
    "simulator",
    "--test",
    "planted",
    "--no-fail-fast",
];

/// The Swift packages with tests.
const SWIFT_PACKAGES: [(&str, &str); 2] = [("Swift tests", "bindings/swift"), ("iOS tests", "ios")];

/// The Android modules that have tests.
const ANDROID: [(&str, &Module); 2] =
    [("Android shell tests", &android::SHELL), ("Android app tests", &android::APP)];

/// The server's log beside the tests' lines: only what matters, so that the lines stay whole.
const LOG: (&str, &str) = ("CARBOY_LOG_FILTER", "warn");

/// Runs everything, prints what ran, and fails when anything failed or a suite ran no test.
pub(crate) fn all() -> Result<ExitCode> {
    let mut report = Report::default();
    let (maven, swift) = report.part("set-up", |row| {
        for part in [c_compiler, rust_components, postgresql, browser::set_up] {
            part().unwrap_or_else(|error| row.fail(&error));
        }
        (announced(maven()), announced(swift::find()))
    });
    report.check("formatting", || run(&mut cargo(&["fmt", "--all", "--check"])));
    let lints = ["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"];
    report.check("lints", || run(&mut cargo(&lints)));
    report.suite("Rust tests", &tally::CARGO, || Ok(cargo(&["test", "--workspace", "--no-fail-fast"])));
    report.suite("simulator", &tally::CARGO, || Ok(cargo(&SIMULATOR)));
    report.suite("core, encrypted", &tally::CARGO, || openssl_tools().map(|()| cargo(&ENCRYPTED)));
    for (package, target) in ON_PHONES {
        on_phone(&mut report, package, target);
    }
    let ready = build(&mut report);
    report.suite("Kotlin tests", &tally::SUREFIRE, || maven.and_then(|()| kotlin_tests(ready)));
    android_suites(&mut report, ready, |_| true);
    swift_suites(&mut report, swift, ready);
    Ok(report.finish())
}

/// Runs the tests of the Android modules alone, of all or of those that are named.
pub(crate) fn android(modules: &[String]) -> Result<ExitCode> {
    let known = ANDROID.map(|(_, module)| module.name());
    if let Some(unknown) = modules.iter().find(|name| !known.contains(&name.as_str())) {
        bail!("no Android module {unknown} has tests: there are {}", known.join(" and "));
    }
    let mut report = Report::default();
    let ready = build(&mut report);
    android_suites(&mut report, ready, |name| {
        modules.is_empty() || modules.iter().any(|asked| asked == name)
    });
    Ok(report.finish())
}

/// Runs the tests of the Swift packages alone.
pub(crate) fn swift() -> Result<ExitCode> {
    let mut report = Report::default();
    let swift = report.part("set-up", |_| announced(swift::find()));
    let ready = build(&mut report);
    swift_suites(&mut report, swift, ready);
    Ok(report.finish())
}

/// Builds what the tests in the other languages run against; says whether that went well.
fn build(report: &mut Report) -> bool {
    report.check("server and bindings", || {
        run(&mut cargo(&["build", "--package", "carboy-server"]))?;
        bindings::generate()
    })
}

fn android_suites(report: &mut Report, ready: bool, asked: impl Fn(&str) -> bool) {
    for (name, module) in ANDROID.into_iter().filter(|(_, module)| asked(module.name())) {
        report.suite(name, &tally::ANDROID, || android_tests(module, ready));
    }
}

fn swift_suites(report: &mut Report, swift: Result<Swift>, ready: bool) {
    let swift = swift.map_err(|error| format!("{error:#}"));
    for (name, package) in SWIFT_PACKAGES {
        report.suite(name, &tally::SWIFT, || {
            swift
                .as_ref()
                .map_err(|error| Error::msg(error.clone()))
                .and_then(|swift| swift_tests(swift, package, ready))
        });
    }
}

/// Tells at once what is missing: the part that needs it comes many minutes later.
fn announced<T>(found: Result<T>) -> Result<T> {
    found.inspect_err(|error| println!("set-up: {error:#}"))
}

/// Checks that a package compiles for phones, without SQLite's and TLS's C code: that would need the phone's own SDK.
fn on_phone(report: &mut Report, package: &str, target: &str) {
    report.part(&format!("{package} for {target}"), |row| match rust_target(target) {
        Err(error) => row.skip(&format!("{error:#}")),
        Ok(()) => {
            row.check(run(&mut cargo(&["check", "--no-default-features", "-p", package, "--target", target])))
        }
    });
}

fn kotlin_tests(ready: bool) -> Result<Command> {
    let parts = Parts::built(ready)?;
    let mut library = OsString::from("-Dcarboy.library.path=");
    library.push(&parts.folder);
    let mut command = Command::new("mvn");
    // Without `clean`, a test whose source is gone goes on running from its old class.
    command.args(["--batch-mode", "--no-transfer-progress", "clean", "test"]).arg(library);
    command.current_dir(repository().join("bindings/kotlin"));
    command.env("CARBOY_SERVER", parts.server).env(LOG.0, LOG.1);
    Ok(command)
}

fn android_tests(module: &'static Module, ready: bool) -> Result<Command> {
    let parts = Parts::built(ready)?;
    let mut command = android::tests(module, &parts.folder, &parts.server)?;
    command.env(LOG.0, LOG.1);
    Ok(command)
}

fn swift_tests(swift: &Swift, package: &str, ready: bool) -> Result<Command> {
    let Parts { folder, server } = Parts::built(ready)?;
    // A test that crashes ends: Swift's own reporter may take many minutes over it.
    let quiet = ("SWIFT_BACKTRACE", "enable=no".into());
    let set = [("CARBOY_SERVER", server.into_os_string()), (LOG.0, LOG.1.into()), quiet];
    swift.package_command(package, &["test"], &folder, &set)
}

/// What the tests in the other languages run against.
struct Parts {
    /// The folder with libcarboy.
    folder: PathBuf,
    /// The server's program.
    server: PathBuf,
}

impl Parts {
    fn built(ready: bool) -> Result<Self> {
        ensure!(ready, "the server and the bindings were not built");
        let folder = built()?;
        Ok(Self { server: folder.join("carboy-server"), folder })
    }
}
