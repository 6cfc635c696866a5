//! What a machine must have before a command can do its work: found, or installed from Debian's packages.
//!
//! The C compiler is only named here: without one this program could not have been linked (see `.cargo/cc`).

use crate::process::{answer, run};
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::PathBuf;
use std::process::Command;

/// The oldest Java that the Kotlin package runs on.
const JAVA: u32 = 17;

/// Names the C compiler, which SQLite is compiled with.
pub(crate) fn c_compiler() -> Result<()> {
    let version = answer("cc", &["--version"]).context("`cc --version` fails: install a C compiler")?;
    println!("set-up: C compiler {}", version.lines().next().unwrap_or_default());
    Ok(())
}

/// Makes sure of perl and make, which OpenSSL's part of the encrypted store is built with.
pub(crate) fn openssl_tools() -> Result<()> {
    if answer("perl", &["--version"]).is_none() || answer("make", &["--version"]).is_none() {
        install("perl and make", &["build-essential"])?;
    }
    Ok(())
}

/// Makes sure of libclang, with which PowerSync's crates read SQLite's headers.
pub(crate) fn libclang() -> Result<()> {
    if answer("ldconfig", &["-p"]).is_some_and(|libraries| libraries.contains("libclang")) {
        return Ok(());
    }
    install("libclang", &["libclang-dev"])
}

/// Makes sure of rustfmt and clippy, which a minimal Rust installation leaves out.
pub(crate) fn rust_components() -> Result<()> {
    if answer("cargo", &["fmt", "--version"]).is_some() && answer("cargo", &["clippy", "--version"]).is_some()
    {
        return Ok(());
    }
    println!("set-up: installing rustfmt and clippy (rustup component add)");
    run(Command::new("rustup").args(["component", "add", "rustfmt", "clippy"]))
}

/// Makes sure of Rust's standard library for `target`.
pub(crate) fn rust_target(target: &str) -> Result<()> {
    let installed =
        answer("rustup", &["target", "list", "--installed"]).context("no rustup on this machine")?;
    if installed.lines().any(|line| line == target) {
        return Ok(());
    }
    println!("set-up: installing Rust's standard library for {target} (rustup target add)");
    run(Command::new("rustup").args(["target", "add", target]))
}

/// Makes sure of Maven on a Java of 17 or later.
pub(crate) fn maven() -> Result<()> {
    if answer("mvn", &["-v"]).is_none() {
        install("Maven and a JDK", &["maven", "default-jdk-headless"])?;
    }
    let version = answer("mvn", &["-v"]).context("`mvn -v` fails: is JAVA_HOME a JDK?")?;
    let java =
        java_of_maven(&version).with_context(|| format!("`mvn -v` names no Java version: {version}"))?;
    if java < JAVA {
        bail!(
            "Maven runs on Java {java}, and Java {JAVA} or later is needed: install one and set JAVA_HOME to it"
        );
    }
    println!("set-up: Maven on Java {java}");
    Ok(())
}

/// Makes sure of a JDK beside Maven, whose own package brings only what runs Java.
pub(crate) fn jdk() -> Result<()> {
    maven()?;
    if answer("javac", &["--version"]).is_none() || answer("jar", &["--version"]).is_none() {
        install("a JDK", &["default-jdk-headless"])?;
    }
    Ok(())
}

fn java_of_maven(version: &str) -> Option<u32> {
    let number = version.lines().find_map(|line| line.strip_prefix("Java version: "))?;
    number.split(['.', ',', '-', ' ']).next()?.parse().ok()
}

/// Makes sure of PostgreSQL's programs, from which the tests start servers of their own.
pub(crate) fn postgresql() -> Result<()> {
    if newest_postgresql().is_none() {
        // A server that runs from now on is not what is asked for, and this machine's owner may want none.
        let without_server = "mkdir -p $0 && echo 'create_main_cluster = false' >$0/carboy.conf";
        let settings = "/etc/postgresql-common/createcluster.d";
        let Some(root) = root() else { return install("PostgreSQL", &["postgresql"]) };
        run(root.command("sh").args(["-c", without_server, settings]))?;
        let installed = install("PostgreSQL", &["postgresql"]);
        run(root.command("rm").arg(format!("{settings}/carboy.conf")))?;
        installed?;
    }
    let version = newest_postgresql().context("PostgreSQL is installed, but has no initdb")?;
    println!("set-up: {version}");
    Ok(())
}

/// What the newest PostgreSQL among Debian's packages, else the one on the PATH, calls itself.
fn newest_postgresql() -> Option<String> {
    let newest = "$(ls -d /usr/lib/postgresql/*/bin/initdb 2>/dev/null | sort -V | tail -n 1)";
    let version = format!("initdb={newest}; \"${{initdb:-initdb}}\" --version");
    answer("sh", &["-c", &version]).map(|version| version.replace("initdb (PostgreSQL)", "PostgreSQL"))
}

/// Installs Debian packages that provide `what`, or says how a person with the rights can.
pub(crate) fn install(what: &str, packages: &[&str]) -> Result<()> {
    let names = packages.join(" ");
    if answer("apt-get", &["--version"]).is_none() {
        bail!("missing: {what}. This is no Debian machine: install the equivalents of Debian's {names}");
    }
    let Some(root) = root() else {
        bail!("missing: {what}. This user may not install it; run: sudo apt-get install {names}");
    };
    println!("set-up: installing {what} (Debian packages {names})");
    if let Err(error) = run(root.command("apt-get").args(["update", "-q"])) {
        println!("set-up: {error}: going on with the package lists that are there");
    }
    run(root
        .command("env")
        .args(["DEBIAN_FRONTEND=noninteractive", "apt-get", "install", "-y", "-q", "--no-install-recommends"])
        .args(["-o", "Dpkg::Use-Pty=0", "-o", "DPkg::Lock::Timeout=300"])
        .args(packages))
}

/// The user's cache folder for this project, outside of every checkout.
pub(crate) fn cache() -> Result<PathBuf> {
    let set = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let base = set("XDG_CACHE_HOME").or_else(|| Some(set("HOME")?.join(".cache")));
    Ok(base.context("neither XDG_CACHE_HOME nor HOME names a folder")?.join("carboy"))
}

/// The right to act as root, directly or by a sudo that asks nothing.
pub(crate) struct Root {
    sudo: bool,
}

/// Finds out whether this user may act as root.
pub(crate) fn root() -> Option<Root> {
    if answer("id", &["-u"]).as_deref() == Some("0") {
        return Some(Root { sudo: false });
    }
    answer("sudo", &["-n", "true"]).map(|_| Root { sudo: true })
}

impl Root {
    /// A command that runs `program` as root.
    pub(crate) fn command(&self, program: &str) -> Command {
        if !self.sudo {
            return Command::new(program);
        }
        let mut command = Command::new("sudo");
        command.args(["-n", program]);
        command
    }
}

/// The Debian release of this machine: `None` on another system, and the greatest number on a release yet to come,
/// which has none.
pub(crate) fn debian() -> Option<u32> {
    debian_of(&fs::read_to_string("/etc/os-release").ok()?)
}

fn debian_of(os_release: &str) -> Option<u32> {
    let field = |name: &str| {
        let value = os_release.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
        value.map(|value| value.trim_matches('"'))
    };
    match (field("ID")?, field("VERSION_ID")) {
        ("debian", Some(version)) => version.parse().ok(),
        ("debian", None) => Some(u32::MAX),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_java_that_maven_runs_on_is_read_from_its_version() {
        let version =
            "Apache Maven 3.8.7\nMaven home: /usr/share/maven\nJava version: 17.0.15, vendor: Debian";
        assert_eq!(java_of_maven(version), Some(17));
        assert_eq!(java_of_maven("Java version: 21, vendor: X"), Some(21));
        assert_eq!(java_of_maven("Java version: 1.8.0_402, vendor: X"), Some(1));
        assert_eq!(java_of_maven("Apache Maven 3.8.7"), None);
    }

    #[test]
    fn a_debian_release_is_told_from_other_systems() {
        assert_eq!(debian_of("VERSION_ID=\"12\"\nID=debian\n"), Some(12));
        assert_eq!(debian_of("ID=debian\nVERSION_CODENAME=forky\n"), Some(u32::MAX));
        assert_eq!(debian_of("ID=ubuntu\nVERSION_ID=\"24.04\"\nID_LIKE=debian\n"), None);
    }
}
