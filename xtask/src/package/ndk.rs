//! The native library for phones, built with Android's NDK where this machine has one.

use crate::process::{built, cargo, run};
use crate::setup::rust_target;
use anyhow::{Context, Result, ensure};
use std::env::consts::{ARCH, OS};
use std::fs;
use std::path::{Path, PathBuf};

/// Pages of up to 16 KiB; relocations packed, as Android reads them from 6 on; functions that are the same, once.
const LINKED: &str = "-Clink-arg=-Wl,-z,max-page-size=16384,--pack-dyn-relocs=android,--icf=safe";

/// A kind of processor that phones have.
pub(super) struct Abi {
    /// What Android calls it.
    pub(super) name: &'static str,
    /// What Rust calls it.
    target: &'static str,
    /// What the NDK's compiler is called for it, before the number of Android's API.
    clang: &'static str,
    /// Its number in ELF.
    pub(super) machine: u64,
}

/// The processors that the package is for.
pub(super) const ABIS: [Abi; 3] = [
    Abi { name: "arm64-v8a", target: "aarch64-linux-android", clang: "aarch64-linux-android", machine: 183 },
    Abi {
        name: "armeabi-v7a",
        target: "armv7-linux-androideabi",
        clang: "armv7a-linux-androideabi",
        machine: 40,
    },
    Abi { name: "x86_64", target: "x86_64-linux-android", clang: "x86_64-linux-android", machine: 62 },
];

/// The variables that name an NDK.
const NDK: [&str; 2] = ["ANDROID_NDK_HOME", "ANDROID_NDK_ROOT"];

/// The compilers of an NDK.
pub(super) struct Ndk {
    bin: PathBuf,
}

/// Finds the NDK that the environment names, or says what is missing.
pub(super) fn find() -> Result<Ndk> {
    let set = |name: &str| std::env::var_os(name).map(PathBuf::from);
    let named = NDK.iter().find_map(|name| set(name));
    let folder = match (named, set("ANDROID_HOME")) {
        (Some(ndk), _) => ndk,
        (None, Some(sdk)) => newest(&sdk.join("ndk"))?,
        (None, None) => anyhow::bail!(
            "no NDK: install one and set {} to its folder, or ANDROID_HOME to that of an SDK with one",
            NDK[0]
        ),
    };
    of(&folder)
}

fn of(folder: &Path) -> Result<Ndk> {
    let system = if OS == "macos" { "darwin" } else { OS };
    // On every Mac the folder is the one of the older processor.
    let processor = if OS == "macos" { "x86_64" } else { ARCH };
    let bin = folder.join("toolchains/llvm/prebuilt").join(format!("{system}-{processor}")).join("bin");
    ensure!(
        bin.join("llvm-ar").exists(),
        "{} is no NDK for this machine: it has no {}/llvm-ar",
        folder.display(),
        bin.display()
    );
    Ok(Ndk { bin })
}

/// The NDK of the highest version in an SDK's folder of them.
fn newest(folder: &Path) -> Result<PathBuf> {
    let entries =
        fs::read_dir(folder).with_context(|| format!("no NDK: there is no {}", folder.display()))?;
    let numbers = |path: &PathBuf| -> Vec<u64> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.split('.').filter_map(|number| number.parse().ok()).collect()
    };
    let all = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    all.into_iter().max_by_key(numbers).with_context(|| format!("no NDK in {}", folder.display()))
}

impl Ndk {
    /// Builds the library for `abi` and Android's API `min_sdk`; returns its file.
    pub(super) fn build(&self, abi: &Abi, min_sdk: &str) -> Result<PathBuf> {
        rust_target(abi.target)?;
        let clang = self.bin.join(format!("{}{min_sdk}-clang", abi.clang));
        ensure!(clang.exists(), "the NDK has no {}", clang.display());
        let (lower, upper) = (abi.target.replace('-', "_"), abi.target.replace('-', "_").to_uppercase());
        // This one kind of library: what an archive or an `rlib` of it could ask for would stay in it.
        let kind = ["rustc", "--package", "carboy-bindings", "--lib", "--crate-type", "cdylib"];
        run(cargo(&kind)
            .args(["--profile", "phone", "--target", abi.target])
            .env(format!("CARGO_TARGET_{upper}_LINKER"), &clang)
            .env(format!("CARGO_TARGET_{upper}_RUSTFLAGS"), LINKED)
            .env(format!("CC_{lower}"), &clang)
            .env(format!("AR_{lower}"), self.bin.join("llvm-ar")))?;
        Ok(built()?.with_file_name(abi.target).join("phone/libcarboy.so"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_ndk_is_the_one_with_the_highest_numbers() {
        let folder = std::env::temp_dir().join(format!("carboy-ndk-{}", std::process::id()));
        for version in ["9.0.1", "27.2.12479018", "27.10.1"] {
            fs::create_dir_all(folder.join(version)).unwrap();
        }
        assert_eq!(newest(&folder).unwrap(), folder.join("27.10.1"));
        let error = of(&folder).err().unwrap().to_string();
        assert!(error.contains("is no NDK for this machine"), "{error}");
        fs::remove_dir_all(&folder).unwrap();
        let error = newest(&folder).unwrap_err().to_string();
        assert_eq!(error, format!("no NDK: there is no {}", folder.display()));
    }
}
