//! The modules' tests: real Android code by Robolectric, the real core by JNA, a real server's process.

use super::resources::{Resources, resources};
use super::step::Made;
use super::{Build, Module, android, files, joined};
use anyhow::{Context, Result};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

/// How long a test may take, in seconds: the process ends when one takes longer.
const LIMIT: &str = "120";

/// Compiles a module with its tests and returns the command that runs them, with `library`, the folder of libcarboy,
/// and the program `server`. One process for each module: Robolectric has one set of resources in it.
pub(crate) fn command(module: &'static Module, library: &Path, server: &Path) -> Result<Command> {
    let build = Build::new()?;
    let compiled = build.compile(module)?;
    let carboy = compiled.last().context("nothing was compiled")?;
    let testing = build.testing(carboy)?;
    let resources = resources(&build, module, &["main", "test"])?;
    let mut classpath = vec![testing.folder.clone(), android().join("testing/src/main/resources")];
    classpath.extend(compiled.iter().map(|made| made.folder.clone()));
    classpath.push(resources.classes());
    classpath.extend(build.libraries(&["test", "main"])?);
    let upstream: Vec<_> = compiled.iter().chain([&testing, &resources.made]).collect();
    let tests = build.compile_tests(module, &upstream, classpath.clone())?;
    let settings = settings(&build, module, &resources)?;
    classpath.splice(0..0, [settings, tests.folder.clone()]);

    let mut command = Command::new("java");
    command
        .args(["-Xmx2g", "-Djava.awt.headless=true", "-Drobolectric.offline=true"])
        .args(
            ["java.lang", "java.util", "java.io"]
                .map(|package| format!("--add-opens=java.base/{package}=ALL-UNNAMED")),
        )
        .arg(format!("-Drobolectric.dependency.dir={}", framework(&build)?.display()))
        .arg(format!("-Djna.library.path={}", library.display()))
        .arg(format!("-Dcarboy.shots={}", build.out.join("shots").display()))
        .arg("-cp")
        .arg(joined(&classpath))
        .arg(android().join("host/Tests.java"))
        .arg(LIMIT)
        .args(classes(&tests)?)
        .current_dir(module.folder())
        .env("CARBOY_SERVER", server);
    Ok(command)
}

/// Tells Robolectric where the resources are, as the Android Gradle plugin does.
fn settings(build: &Build, module: &'static Module, resources: &Resources) -> Result<PathBuf> {
    let folder = build.out.join(format!("{}-settings", module.name));
    let assets = folder.join("assets");
    let tools = folder.join("com/android/tools");
    fs::create_dir_all(&assets)?;
    fs::create_dir_all(&tools)?;
    fs::write(
        tools.join("test_config.properties"),
        format!(
            "android_custom_package={}\nandroid_merged_manifest={}\nandroid_resource_apk={}\nandroid_merged_assets={}\n",
            module.namespace()?,
            resources.manifest().display(),
            resources.apk().display(),
            assets.display(),
        ),
    )?;
    Ok(folder)
}

/// A folder with the Android that Robolectric runs, under the name that it looks for when it may not download.
fn framework(build: &Build) -> Result<PathBuf> {
    let jar = build.artifacts.one("robolectric")?;
    let name = jar.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let folder = build.out.join("framework");
    fs::create_dir_all(&folder)?;
    let link = folder.join(name.trim_start_matches("org.robolectric."));
    if !link.exists() {
        symlink(&jar, &link).with_context(|| format!("cannot link {}", link.display()))?;
    }
    Ok(folder)
}

/// The names of the classes that hold tests: those that end with `Test`.
fn classes(tests: &Made) -> Result<Vec<String>> {
    let found = files(&tests.folder, "Test.class")?;
    let name = |file: &PathBuf| {
        let path = file.strip_prefix(&tests.folder).unwrap_or(file).with_extension("");
        path.to_string_lossy().replace('/', ".")
    };
    Ok(found.iter().map(name).collect())
}
