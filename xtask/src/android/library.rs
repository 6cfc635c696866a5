//! The Kotlin package as an Android library: what its AAR is made of.

use super::{Build, android};
use anyhow::{Context, Result};
use std::fs;
use std::path::PathBuf;

/// The parts of the AAR.
pub(crate) struct Library {
    /// The folder of the compiled classes.
    pub(crate) classes: PathBuf,
    /// The manifest, with the package and the oldest Android.
    pub(crate) manifest: String,
    /// The rules for R8 that an app with this library gets.
    pub(crate) rules: PathBuf,
    /// What Maven and Gradle read its dependencies from.
    pub(crate) pom: String,
    /// Where Gradle looks for the native libraries.
    pub(crate) jni_libs: PathBuf,
    /// JNA's AAR, which an app gets along with it.
    pub(crate) jna: PathBuf,
    pub(crate) version: String,
    pub(crate) min_sdk: String,
}

/// Compiles the package for Android.
pub(crate) fn library() -> Result<Library> {
    let build = Build::new()?;
    let version = |name: &str| build.catalogue.version(name).map(str::to_owned);
    let (own, min_sdk) = (version("carboy")?, version("minSdk")?);
    let path = android().join("carboy/src/main/AndroidManifest.xml");
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(Library {
        classes: build.carboy()?.folder,
        manifest: manifest(&text, &min_sdk)?,
        rules: android().join("carboy/consumer-rules.pro"),
        pom: pom(&own, &version("kotlin")?, &version("coroutines")?, &version("jna")?),
        jni_libs: jni_libs(),
        jna: build.artifacts.one("jna-android")?,
        version: own,
        min_sdk,
    })
}

/// Where Gradle looks for the native libraries, a folder for each kind of processor.
pub(super) fn jni_libs() -> PathBuf {
    android().join("carboy/src/main/jniLibs")
}

/// What Gradle adds to a library's manifest from its build file.
fn manifest(text: &str, min_sdk: &str) -> Result<String> {
    let (head, rest) = text.split_once("<manifest").context("the manifest holds no manifest")?;
    let end = rest.find('>').context("the manifest does not end")?;
    let attributes = rest[..end].trim_end_matches(['/', ' ']);
    Ok(format!(
        "{head}<manifest{attributes} package=\"app.carboy\">\n    <uses-sdk android:minSdkVersion=\"{min_sdk}\" />\n</manifest>\n"
    ))
}

fn pom(version: &str, kotlin: &str, coroutines: &str, jna: &str) -> String {
    let dependency = |group: &str, name: &str, version: &str, more: &str| {
        format!(
            "    <dependency>\n      <groupId>{group}</groupId>\n      <artifactId>{name}</artifactId>\n      \
             <version>{version}</version>\n{more}    </dependency>\n"
        )
    };
    let dependencies = [
        dependency("org.jetbrains.kotlin", "kotlin-stdlib", kotlin, ""),
        dependency("org.jetbrains.kotlinx", "kotlinx-coroutines-android", coroutines, ""),
        dependency("net.java.dev.jna", "jna", jna, "      <type>aar</type>\n      <scope>runtime</scope>\n"),
    ]
    .concat();
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<project xmlns=\"http://maven.apache.org/POM/4.0.0\">\n  \
         <modelVersion>4.0.0</modelVersion>\n  <groupId>app.carboy</groupId>\n  \
         <artifactId>carboy-android</artifactId>\n  <version>{version}</version>\n  <packaging>aar</packaging>\n  \
         <name>Carboy for Android</name>\n  \
         <description>The offline-first core for bottled-water delivery riders, for Android apps</description>\n  \
         <dependencies>\n{dependencies}  </dependencies>\n</project>\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_gets_the_package_and_the_oldest_android() {
        let text = "<?xml version=\"1.0\"?>\n<manifest xmlns:android=\"http://a\" />\n";
        assert_eq!(
            manifest(text, "26").unwrap(),
            "<?xml version=\"1.0\"?>\n<manifest xmlns:android=\"http://a\" package=\"app.carboy\">\n    \
             <uses-sdk android:minSdkVersion=\"26\" />\n</manifest>\n"
        );
    }
}
