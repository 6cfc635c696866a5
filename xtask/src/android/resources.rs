//! Manifests merged and resources linked, as the Android build does it: the classes named R and what they point to.

use super::artifacts::FLAT;
use super::step::{Inputs, Made, step};
use super::{Build, Module, files};
use crate::process::run;
use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A module's resources with those of the modules and libraries below it.
pub(super) struct Resources {
    pub(super) made: Made,
}

impl Resources {
    /// The merged manifest.
    pub(super) fn manifest(&self) -> PathBuf {
        self.made.folder.join("AndroidManifest.xml")
    }

    /// The linked resources: an APK without code.
    pub(super) fn apk(&self) -> PathBuf {
        self.made.folder.join("resources.apk")
    }

    /// The compiled R classes.
    pub(super) fn classes(&self) -> PathBuf {
        self.made.folder.join("classes")
    }
}

/// Makes the resources of `module` with the libraries of `sets`.
pub(super) fn resources(build: &Build, module: &'static Module, sets: &[&str]) -> Result<Resources> {
    let mut sources = Vec::new();
    for module in module.stack() {
        sources.push(module.main().join("AndroidManifest.xml"));
        sources.extend(files(&module.main().join("res"), "")?);
    }
    let aars: Vec<_> = sets.iter().flat_map(|set| build.artifacts.aars(set)).collect();
    let versions = [build.catalogue.version("minSdk")?, build.catalogue.version("targetSdk")?];
    let inputs = Inputs::new()?.files(&sources)?.value(&aars).value(versions);
    let folder = build.out.join(format!("{}-resources-{}", module.name, sets.join("-")));
    let made = step(&folder, &inputs, |out| {
        let manifest = merge(build, module, &aars, out)?;
        link(build, module, &aars, &manifest, out)?;
        let java = files(&out.join("java"), ".java")?;
        run(Command::new("javac")
            .args(["-nowarn", "--release", "17", "-d"])
            .arg(out.join("classes"))
            .args(java))
    })?;
    Ok(Resources { made })
}

fn merge(build: &Build, module: &'static Module, aars: &[PathBuf], out: &Path) -> Result<PathBuf> {
    let merged = out.join("AndroidManifest.xml");
    let mut command = build.artifacts.java("manifest-merger", "com.android.manifmerger.Merger")?;
    for (index, module) in module.stack().enumerate() {
        let own = out.join(format!("{}.xml", module.name));
        fs::write(&own, with_package(&module.main().join("AndroidManifest.xml"), &module.namespace()?)?)?;
        command.arg(if index == 0 { "--main" } else { "--libs" }).arg(own);
    }
    for aar in aars {
        command.arg("--libs").arg(aar.join("AndroidManifest.xml"));
    }
    let property = |name: &str, value: &str| ["--property".to_owned(), format!("{name}={value}")];
    command
        .arg("--remove-tools-declarations")
        .args(property("package", &module.namespace()?))
        .args(property("min_sdk_version", build.catalogue.version("minSdk")?))
        .args(property("target_sdk_version", build.catalogue.version("targetSdk")?))
        .args(property("version_code", "1"))
        .args(property("version_name", build.catalogue.version("carboy")?))
        .arg("--out")
        .arg(&merged);
    run(&mut command)?;
    Ok(merged)
}

/// A module's manifest as the merger wants it: with the namespace that Gradle knows from the build file.
fn with_package(manifest: &Path, namespace: &str) -> Result<String> {
    let text = fs::read_to_string(manifest).with_context(|| format!("cannot read {}", manifest.display()))?;
    Ok(text.replacen("<manifest", &format!("<manifest package=\"{namespace}\""), 1))
}

fn link(build: &Build, module: &'static Module, aars: &[PathBuf], manifest: &Path, out: &Path) -> Result<()> {
    let aapt2 = build.artifacts.aapt2()?;
    let mut flats: Vec<_> = aars.iter().map(|aar| aar.join(FLAT)).filter(|flat| flat.exists()).collect();
    let mut modules: Vec<_> = module.stack().collect();
    modules.reverse(); // What comes later wins.
    for module in modules {
        let flat = out.join(format!("{}.zip", module.name));
        run(Command::new(&aapt2)
            .args(["compile", "--dir"])
            .arg(module.main().join("res"))
            .arg("-o")
            .arg(&flat))?;
        flats.push(flat);
    }
    let mut packages = module.stack().skip(1).map(Module::namespace).collect::<Result<Vec<_>>>()?;
    for aar in aars {
        packages.extend(package(&fs::read_to_string(aar.join("AndroidManifest.xml"))?));
    }
    packages.sort();
    packages.dedup();
    let mut command = Command::new(&aapt2);
    command
        .args(["link", "--auto-add-overlay", "--no-version-vectors", "--debug-mode", "--non-final-ids"])
        .args(["--min-sdk-version", build.catalogue.version("minSdk")?])
        .args(["--target-sdk-version", build.catalogue.version("targetSdk")?])
        .arg("-I")
        .arg(build.artifacts.one("framework")?)
        .arg("--manifest")
        .arg(manifest)
        .arg("--java")
        .arg(out.join("java"))
        .args(["--extra-packages", &packages.join(":")])
        .arg("-o")
        .arg(out.join("resources.apk"));
    for flat in flats {
        command.arg("-R").arg(flat);
    }
    run(&mut command)
}

/// The package that a library's manifest names.
fn package(manifest: &str) -> Option<String> {
    Some(manifest.split_once("package=\"")?.1.split_once('"')?.0.to_owned())
}
