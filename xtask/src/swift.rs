//! Swift 6: the one on the PATH, else Debian's own package, else a folder with Debian 13 and its Swift.
//!
//! Debian 12 has no Swift among its packages, but what is built on it runs on Debian 13 too. So the folder is a whole
//! Debian 13 in the user's cache, shared by all checkouts, and every command in it runs in a mount namespace of its
//! own: its mounts are seen by nobody else and end with it, however it ends.

use crate::process::{answer, repository, run};
use crate::setup::{Root, cache, debian, install, root};
use anyhow::{Context, Result, bail};
use std::ffi::OsString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

/// What Swift needs to compile and link a package: its Foundation links the C++ library.
const PACKAGES: [&str; 3] = ["swiftlang", "libc6-dev", "g++"];

/// The first Debian release with Swift 6 among its packages, by number and by name.
const RELEASE: (u32, &str) = (13, "trixie");

/// Where `swift` runs.
pub(crate) enum Swift {
    /// On this machine itself.
    Here,
    /// In a folder with Debian 13, entered with the rights of root.
    In(PathBuf, Root),
}

/// Finds Swift 6 or installs it.
pub(crate) fn find() -> Result<Swift> {
    if on_path() {
        return Ok(Swift::Here);
    }
    match debian() {
        None => {
            bail!("Swift 6 is missing: install it from https://www.swift.org/install and put it on the PATH")
        }
        Some(release) if release >= RELEASE.0 => {
            install("Swift", &PACKAGES)?;
            if !on_path() {
                bail!("swiftlang is installed, but `swift --version` does not answer with version 6");
            }
            Ok(Swift::Here)
        }
        Some(release) => in_folder(release),
    }
}

fn on_path() -> bool {
    let Some(version) = answer("swift", &["--version"]) else { return false };
    println!("set-up: on the PATH is {}", version.lines().next().unwrap_or_default());
    is_at_least_6(&version)
}

fn is_at_least_6(version: &str) -> bool {
    let number = version.split("Swift version ").nth(1).and_then(|rest| rest.split('.').next());
    number.and_then(|major| major.trim().parse::<u32>().ok()).is_some_and(|major| major >= 6)
}

fn in_folder(release: u32) -> Result<Swift> {
    let Some(rights) = root() else {
        bail!(
            "Debian {release} has no Swift, and only root may set up Debian {}'s in a folder: run this as root, allow \
             this user sudo without a password, or put a Swift 6 from https://www.swift.org/install on the PATH",
            RELEASE.0
        );
    };
    run(rights.command("unshare").args(["--mount", "true"])).context(
        "this machine does not let root mount file systems (a container without the right to?), which Swift needs here",
    )?;
    let folder = cache()?.join(format!("swift-{}", RELEASE.1));
    make(&folder, &rights)?;
    println!("set-up: Swift of Debian {} in {}", RELEASE.0, folder.display());
    Ok(Swift::In(folder, rights))
}

/// Makes the folder unless it is whole already. One process makes it at a time; the others wait.
fn make(folder: &Path, rights: &Root) -> Result<()> {
    let mark = PACKAGES.join(" ");
    let whole = || fs::read_to_string(folder.join(".ready")).is_ok_and(|found| found.trim() == mark);
    if whole() {
        return Ok(());
    }
    let lock_path = folder.with_extension("lock");
    fs::create_dir_all(lock_path.parent().unwrap_or(folder))?;
    let lock = File::create(&lock_path).with_context(|| format!("cannot write {}", lock_path.display()))?;
    if lock.try_lock().is_err() {
        println!("set-up: waiting for another run that makes {}", folder.display());
        lock.lock()?;
    }
    if whole() {
        return Ok(());
    }
    if answer("debootstrap", &["--version"]).is_none() && !Path::new("/usr/sbin/debootstrap").exists() {
        install("debootstrap", &["debootstrap"])?;
    }
    println!(
        "set-up: this Debian has no Swift: making a folder with Debian {} and its Swift at {}, about 3 GB, a minute or more",
        RELEASE.0,
        folder.display()
    );
    // The child keeps the lock as its standard input: it stays locked for as long as the work goes on, even if this
    // program is killed meanwhile.
    run(rights
        .command("unshare")
        .args(["--mount", "sh"])
        .arg(script("make_root.sh"))
        .arg(folder)
        .args([RELEASE.1, &mirror(), &mark])
        .args(PACKAGES)
        .stdin(lock))
}

/// The mirror that apt uses for Debian itself on this machine; empty, which leaves it to debootstrap, if it tells none.
fn mirror() -> String {
    let format =
        ["indextargets", "--format", "$(ORIGIN)|$(LABEL)|$(COMPONENT)|$(REPO_URI)", "Created-By: Packages"];
    let sources = answer("apt-get", &format).unwrap_or_default();
    let found = sources.lines().find_map(|line| line.strip_prefix("Debian|Debian|main|"));
    found.unwrap_or_default().to_owned()
}

fn script(name: &str) -> PathBuf {
    repository().join("xtask/swift").join(name)
}

/// Who runs this program, and so owns what is built: the rights of root are only for entering the folder.
fn user_and_group() -> Result<String> {
    let of = |which| answer("id", &[which]).context("`id` does not say who this user is");
    Ok(format!("{}:{}", of("-u")?, of("-g")?))
}

impl Swift {
    /// A command that runs `swift` with `what` on one of the project's packages, linked with the library in `folder`.
    pub(crate) fn package_command(
        &self,
        package: &str,
        what: &[&str],
        folder: &Path,
        set: &[(&str, OsString)],
    ) -> Result<Command> {
        let mut search = OsString::from("-L");
        search.push(folder);
        let mut arguments: Vec<OsString> = what.iter().map(OsString::from).collect();
        arguments.extend(["--package-path".into(), repository().join(package).into_os_string()]);
        for option in [search, "-rpath".into(), folder.into()] {
            arguments.extend(["-Xlinker".into(), option]);
        }
        self.command(&[repository(), folder], set, &arguments)
    }

    /// A command that runs `swift` with `arguments` and the variables `set`, where the folders `seen` are at their own
    /// paths. In the folder it sees no other variables of this process: they speak of another system.
    pub(crate) fn command(
        &self,
        seen: &[&Path],
        set: &[(&str, OsString)],
        arguments: &[OsString],
    ) -> Result<Command> {
        let (folder, rights) = match self {
            Swift::Here => {
                let mut command = Command::new("swift");
                command.args(arguments).envs(set.iter().map(|(name, value)| (name, value)));
                return Ok(command);
            }
            Swift::In(folder, rights) => (folder, rights),
        };
        let mut command = rights.command("unshare");
        command.args(["--mount", "sh"]).arg(script("in_root.sh")).arg(folder).arg(user_and_group()?);
        command.args(seen).args(["--", "env", "-i", "PATH=/usr/bin:/bin", "HOME=/tmp", "LANG=C.UTF-8"]);
        for (name, value) in set {
            let mut pair = OsString::from(name);
            pair.push("=");
            pair.push(value);
            command.arg(pair);
        }
        command.arg("swift").args(arguments);
        Ok(command)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn swift_6_and_later_count_and_earlier_do_not() {
        assert!(is_at_least_6("Swift version 6.0.3 (swift-6.0.3-RELEASE)\nTarget: x86_64-pc-linux-gnu"));
        assert!(is_at_least_6("Apple Swift version 10.1 (swiftlang-10.1.0.1)"));
        assert!(!is_at_least_6("Swift version 5.10.1 (swift-5.10.1-RELEASE)"));
        assert!(!is_at_least_6("swift: a tool of another kind, version 6"));
    }
}
