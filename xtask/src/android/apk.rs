//! The rider's app as a debug APK, to try on a phone: dexed, aligned and signed as Android Studio does it.

use super::resources::resources;
use super::step::{Inputs, Made, step};
use super::{APP, Build, files, library};
use crate::process::{answer, run};
use crate::setup;
use anyhow::{Context, Result, ensure};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What Android Studio calls its key for debug builds, and its password.
const ALIAS: &str = "androiddebugkey";
const PASSWORD: &str = "pass:android";

/// Makes the APK in `out`, with the native libraries that there are.
pub(crate) fn debug(out: &Path) -> Result<PathBuf> {
    tools()?;
    let build = Build::new()?;
    let compiled = build.compile(&APP)?;
    let resources = resources(&build, &APP, &["main"])?;
    let dexed = dex(&build, &compiled, &resources.made, &resources.classes())?;
    let staged = out.join("staged");
    fs::create_dir_all(&staged)?;
    for dex in files(&dexed.folder, ".dex")? {
        fs::copy(&dex, staged.join(dex.file_name().unwrap_or_default()))?;
    }
    native_libraries(&build, &staged)?;
    let unaligned = staged.with_extension("apk");
    fs::copy(resources.apk(), &unaligned)?;
    run(Command::new("jar")
        .args(["--update", "--no-manifest", "--file"])
        .arg(&unaligned)
        .arg("-C")
        .arg(&staged)
        .arg("."))?;
    let apk = out.join(format!("carboy-rider-{}-debug.apk", build.catalogue.version("carboy")?));
    // Android maps the resources as they lie in the file: not compressed, and aligned.
    run(Command::new("zipalign").args(["-f", "4"]).arg(&unaligned).arg(&apk))?;
    sign(&apk, build.catalogue.version("minSdk")?)?;
    fs::remove_file(unaligned)?;
    fs::remove_dir_all(staged)?;
    check(&build, &apk)?;
    Ok(apk)
}

/// Makes sure of zipalign, which says that it is there by its usage alone, and of apksigner.
fn tools() -> Result<()> {
    if Command::new("zipalign").output().is_err() || answer("apksigner", &["version"]).is_none() {
        setup::install("what aligns and signs an APK", &["zipalign", "apksigner"])?;
    }
    Ok(())
}

/// The classes of the app, of what it is built on and of the libraries, as a phone runs them.
fn dex(build: &Build, compiled: &[Made], resources: &Made, r_classes: &Path) -> Result<Made> {
    let libraries = build.artifacts.classpath("main")?;
    let keys: Vec<_> = compiled.iter().chain([resources]).map(|made| made.key).collect();
    let inputs = Inputs::new()?.value(keys).value(&libraries);
    step(&build.out.join("dex"), &inputs, |out| {
        let mut jars = Vec::new();
        let folders = compiled.iter().map(|made| made.folder.as_path()).chain([r_classes]);
        for (number, folder) in folders.enumerate() {
            let jar = out.join(format!("{number}.jar"));
            run(Command::new("jar").arg("--create").arg("--file").arg(&jar).arg("-C").arg(folder).arg("."))?;
            jars.push(jar);
        }
        let mut command = build.artifacts.java("d8", "com.android.tools.r8.D8")?;
        command.args(["--debug", "--min-api", build.catalogue.version("minSdk")?, "--lib"]);
        command.arg(build.artifacts.one("framework")?).arg("--output").arg(out).args(&jars).args(&libraries);
        run(&mut command)?;
        jars.iter().try_for_each(|jar| Ok(fs::remove_file(jar)?))
    })
}

/// The core's libraries as far as they were built, and JNA's for the same processors.
fn native_libraries(build: &Build, staged: &Path) -> Result<()> {
    let jna = build.artifacts.aars("jna-android").pop().context("the locks name no jna-android")?;
    for library in files(&library::jni_libs(), ".so")? {
        let processor = library.parent().and_then(Path::file_name).context("a library in no folder")?;
        let to = staged.join("lib").join(processor);
        fs::create_dir_all(&to)?;
        fs::copy(&library, to.join("libcarboy.so"))?;
        let jna = jna.join("jni").join(processor).join("libjnidispatch.so");
        fs::copy(&jna, to.join("libjnidispatch.so")).with_context(|| format!("no {}", jna.display()))?;
    }
    Ok(())
}

/// Signs with the key that Android Studio signs debug builds with, so that either replaces the other's on a phone.
fn sign(apk: &Path, min_sdk: &str) -> Result<()> {
    let keys = PathBuf::from(std::env::var_os("HOME").context("no HOME")?).join(".android/debug.keystore");
    if !keys.exists() {
        fs::create_dir_all(keys.parent().unwrap_or(&keys))?;
        run(Command::new("keytool")
            .args(["-genkeypair", "-keyalg", "RSA", "-keysize", "2048", "-validity", "10950"])
            .args(["-alias", ALIAS, "-dname", "CN=Android Debug,O=Android,C=US", "-storetype", "PKCS12"])
            .args(["-storepass", "android", "-keystore"])
            .arg(&keys))?;
    }
    run(Command::new("apksigner")
        .args([
            "sign",
            "--v4-signing-enabled",
            "false",
            "--min-sdk-version",
            min_sdk,
            "--ks-key-alias",
            ALIAS,
            "--ks-pass",
            PASSWORD,
            "--ks",
        ])
        .arg(&keys)
        .arg(apk))
}

/// Fails unless a phone would take it: signed, with its resources where Android can map them, and with a first screen.
fn check(build: &Build, apk: &Path) -> Result<()> {
    let name = apk.to_string_lossy();
    run(Command::new("apksigner")
        .args(["verify", "--min-sdk-version", build.catalogue.version("minSdk")?])
        .arg(apk))?;
    let aligned = answer("zipalign", &["-c", "-v", "4", &name]).context("it is not aligned")?;
    let mapped = |line: &str| line.contains("resources.arsc (OK)");
    ensure!(aligned.lines().any(mapped), "the resources are compressed or missing in {name}");
    let aapt2 = build.artifacts.aapt2()?;
    let badging = answer(&aapt2.to_string_lossy(), &["dump", "badging", &name]);
    let badging = badging.with_context(|| format!("{name} has no manifest that Android can read"))?;
    ensure!(badging.contains("launchable-activity"), "{name} has no first screen");
    Ok(())
}
