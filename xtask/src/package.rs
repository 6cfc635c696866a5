//! `cargo xtask package kotlin | android`: the Kotlin package as a jar for the JVM and as an AAR for Android, each with
//! its sources and its POM, and the rider's app as a debug APK; each looked into before it is called done.

mod archive;
mod elf;
mod ndk;

use crate::process::{built, cargo, repository, run};
use crate::{android, bindings, setup};
use anyhow::{Context, Result};
use archive::{Archive, Expected};
use std::env::consts::{ARCH, DLL_PREFIX, DLL_SUFFIX, OS};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

/// Classes without which the package is none: generated ones, and ones written by hand.
const CLASSES: [&str; 4] = [
    "app/carboy/Carboy.class",
    "app/carboy/CarboyException.class",
    "app/carboy/Rider.class",
    "app/carboy/MoneyKt.class",
];

/// What the sources hold likewise.
const SOURCES: [&str; 3] = ["app/carboy/carboy.kt", "app/carboy/Rider.kt", "app/carboy/Money.kt"];

/// Packs the JVM's jar, with the native library for this machine.
pub(crate) fn kotlin() -> Result<ExitCode> {
    setup::jdk()?;
    bindings::generate()?;
    run(&mut cargo(&["build", "--package", "carboy-bindings", "--profile", "phone"]))?;
    let package = repository().join("bindings/kotlin");
    let pom = fs::read_to_string(package.join("pom.xml"))?;
    let version = version(&pom)?;
    run(Command::new("mvn")
        .args(["--batch-mode", "--no-transfer-progress", "-Dmaven.test.skip=true", "clean", "package"])
        .current_dir(&package))?;
    let out = emptied("kotlin")?;
    let jar = out.join(format!("carboy-{version}.jar"));
    fs::copy(package.join(format!("target/carboy-{version}.jar")), &jar)?;
    let library = format!("{}/{DLL_PREFIX}carboy{DLL_SUFFIX}", jna_platform());
    let native = out.join("native");
    place(&phone_library()?, &native.join(&library))?;
    run(Command::new("jar").arg("--update").arg("--file").arg(&jar).arg("-C").arg(&native).arg("."))?;
    fs::remove_dir_all(&native)?;
    fs::copy(package.join("pom.xml"), out.join(format!("carboy-{version}.pom")))?;
    let mut needed = CLASSES.map(str::to_owned).to_vec();
    needed.extend([library, "META-INF/maven/app.carboy/carboy/pom.xml".to_owned()]);
    Archive::open(&jar)?.check(&Expected { needed, libraries: &[] })?;
    sources(&out, "carboy", &version)?;
    println!("packed {}", out.display());
    Ok(ExitCode::SUCCESS)
}

/// Packs the AAR and the app's debug APK: with the native libraries where there is an NDK, and without them, which it says, where there is none.
pub(crate) fn android() -> Result<ExitCode> {
    setup::jdk()?;
    bindings::generate()?;
    let library = android::library()?;
    let out = emptied("android")?;
    let staged = out.join("staged");
    fs::create_dir_all(&staged)?;
    let classes = staged.join("classes.jar");
    run(Command::new("jar")
        .arg("--create")
        .arg("--file")
        .arg(&classes)
        .arg("-C")
        .arg(&library.classes)
        .arg("."))?;
    Archive::open(&classes)?
        .check(&Expected { needed: CLASSES.map(str::to_owned).to_vec(), libraries: &[] })?;
    fs::write(staged.join("AndroidManifest.xml"), library.manifest)?;
    fs::write(staged.join("R.txt"), "")?;
    fs::copy(library.rules, staged.join("proguard.txt"))?;
    let ndk = ndk::find();
    let mut needed: Vec<_> =
        ["classes.jar", "AndroidManifest.xml", "R.txt", "proguard.txt"].map(str::to_owned).into();
    if let Ok(ndk) = &ndk {
        for abi in &ndk::ABIS {
            let path = format!("jni/{}/libcarboy.so", abi.name);
            let built = ndk.build(abi, &library.min_sdk)?;
            place(&built, &staged.join(&path))?;
            // Where Gradle looks for it, in an app that takes the module and not the AAR.
            place(&built, &library.jni_libs.join(abi.name).join("libcarboy.so"))?;
            needed.push(path);
        }
    }
    let aar = out.join(format!("carboy-android-{}.aar", library.version));
    run(Command::new("jar")
        .args(["--create", "--no-manifest", "--file"])
        .arg(&aar)
        .arg("-C")
        .arg(&staged)
        .arg("."))?;
    fs::remove_dir_all(&staged)?;
    Archive::open(&aar)?.check(&Expected { needed, libraries: &ndk::ABIS })?;
    let jna = ndk::ABIS.each_ref().map(|abi| format!("jni/{}/libjnidispatch.so", abi.name)).to_vec();
    Archive::open(&library.jna)?.check(&Expected { needed: jna, libraries: &ndk::ABIS })?;
    fs::write(out.join(format!("carboy-android-{}.pom", library.version)), library.pom)?;
    sources(&out, "carboy-android", &library.version)?;
    let mut needed = ["AndroidManifest.xml", "classes.dex", "resources.arsc"].map(str::to_owned).to_vec();
    if ndk.is_ok() {
        let both =
            |abi: &ndk::Abi| ["carboy", "jnidispatch"].map(|name| format!("lib/{}/lib{name}.so", abi.name));
        needed.extend(ndk::ABIS.iter().flat_map(both));
    }
    Archive::open(&android::apk(&out)?)?.check(&Expected { needed, libraries: &[] })?;
    println!("packed {}", out.display());
    if let Err(missing) = ndk {
        println!("not in it: the native libraries, without which it runs on no phone: {missing:#}");
    }
    Ok(ExitCode::SUCCESS)
}

/// The sources, generated and by hand.
fn sources(out: &Path, name: &str, version: &str) -> Result<()> {
    let package = repository().join("bindings/kotlin");
    let jar = out.join(format!("{name}-{version}-sources.jar"));
    let mut command = Command::new("jar");
    command.arg("--create").arg("--file").arg(&jar);
    for root in ["generated", "src/main/kotlin"] {
        command.arg("-C").arg(package.join(root)).arg(".");
    }
    run(&mut command)?;
    Archive::open(&jar)?.check(&Expected { needed: SOURCES.map(str::to_owned).to_vec(), libraries: &[] })
}

/// The folder of a package, where nothing of an earlier one is left.
fn emptied(name: &str) -> Result<PathBuf> {
    let folder = built()?.with_file_name("package").join(name);
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

fn place(file: &Path, at: &Path) -> Result<()> {
    fs::create_dir_all(at.parent().unwrap_or(at))?;
    fs::copy(file, at).with_context(|| format!("cannot copy {} to {}", file.display(), at.display()))?;
    Ok(())
}

/// The library as it ships, for this machine.
fn phone_library() -> Result<PathBuf> {
    Ok(built()?.with_file_name("phone").join(format!("{DLL_PREFIX}carboy{DLL_SUFFIX}")))
}

/// Where JNA looks for a library of this machine in a jar.
fn jna_platform() -> String {
    let system = if OS == "macos" { "darwin" } else { OS };
    let processor = if ARCH == "x86_64" { "x86-64" } else { ARCH };
    format!("{system}-{processor}")
}

/// The package's own version: the first that its POM names.
fn version(pom: &str) -> Result<String> {
    let version = pom.split_once("<version>").and_then(|(_, rest)| rest.split_once("</version>"));
    Ok(version.context("the POM names no version")?.0.to_owned())
}
