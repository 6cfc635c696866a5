//! The versions of `android/gradle/libs.versions.toml`, the one place that says them.

use super::android;
use anyhow::{Context, Result};
use std::fs;
use toml::Table;

/// The version catalogue.
pub(super) struct Catalogue(Table);

impl Catalogue {
    pub(super) fn read() -> Result<Self> {
        let path = android().join("gradle/libs.versions.toml");
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        Ok(Self(text.parse().with_context(|| format!("in {}", path.display()))?))
    }

    /// The version called `name`.
    pub(super) fn version(&self, name: &str) -> Result<&str> {
        let version = self.0.get("versions").and_then(|versions| versions.get(name)?.as_str());
        version.with_context(|| format!("the version catalogue names no version {name}"))
    }

    /// Every library as `group:name`, with its version where it does not come from a BOM.
    #[cfg(test)]
    fn libraries(&self) -> Vec<(&str, Option<&str>)> {
        let libraries = self.0["libraries"].as_table().into_iter().flat_map(Table::values);
        let version = |library: &toml::Value| Some(library.get("version")?.get("ref")?.as_str()?.to_owned());
        let of = |library| version(library).map(|name| self.version(&name).unwrap());
        libraries.map(|library| (library["module"].as_str().unwrap(), of(library))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::android::artifacts::{Artifact, lock};
    use crate::process::repository;

    /// The versions that the locks hold of `group:name`.
    fn locked<'a>(lock: &'a [Artifact], module: &str, set: &str) -> Vec<&'a str> {
        let of = |artifact: &&Artifact| {
            format!("{}:{}", artifact.group, artifact.name) == module && artifact.set == set
        };
        lock.iter().filter(of).map(|artifact| artifact.version.as_str()).collect()
    }

    #[test]
    fn the_locks_hold_what_the_catalogue_names() {
        let catalogue = Catalogue::read().unwrap();
        let lock = lock().unwrap();
        for (module, version) in catalogue.libraries() {
            let in_app = ["main", "test", "compose-bom"].map(|set| locked(&lock, module, set)).concat();
            assert_eq!(in_app.len(), 1, "{module} is once in the locks: {in_app:?}");
            assert_eq!(version.unwrap_or(in_app[0]), in_app[0], "{module}");
        }
        let kotlin = catalogue.version("kotlin").unwrap();
        let compiler = "org.jetbrains.kotlin:kotlin-compiler-embeddable";
        let plugin = "org.jetbrains.kotlin:kotlin-compose-compiler-plugin-embeddable";
        assert_eq!(locked(&lock, compiler, "kotlinc"), [kotlin]);
        assert_eq!(locked(&lock, plugin, "compose"), [kotlin]);
        assert_eq!(locked(&lock, "org.jetbrains.kotlin:kotlin-stdlib", "main"), [kotlin]);
        assert_eq!(
            locked(&lock, "net.java.dev.jna:jna", "jna-android"),
            locked(&lock, "net.java.dev.jna:jna", "main")
        );
    }

    #[test]
    fn the_manifest_merger_is_the_one_of_the_catalogues_gradle_plugin() {
        let catalogue = Catalogue::read().unwrap();
        let (major, rest) = catalogue.version("agp").unwrap().split_once('.').unwrap();
        let tools = format!("{}.{rest}", major.parse::<u32>().unwrap() + 23);
        let lock = lock().unwrap();
        assert_eq!(locked(&lock, "com.android.tools.build:manifest-merger", "manifest-merger"), [tools]);
    }

    #[test]
    fn the_package_on_the_jvm_has_the_catalogues_versions() {
        let catalogue = Catalogue::read().unwrap();
        let pom = fs::read_to_string(repository().join("bindings/kotlin/pom.xml")).unwrap();
        let after = |text: &str| {
            let rest = pom.split_once(text).unwrap_or_else(|| panic!("the POM has no {text}")).1;
            rest.split(['<', '>'])
                .find(|part| part.starts_with(|c: char| c.is_ascii_digit()))
                .unwrap()
                .to_owned()
        };
        assert_eq!(after("<artifactId>carboy</artifactId>"), catalogue.version("carboy").unwrap());
        assert_eq!(after("<kotlin.version>"), catalogue.version("kotlin").unwrap());
        assert_eq!(
            after("<artifactId>kotlinx-coroutines-core</artifactId>"),
            catalogue.version("coroutines").unwrap()
        );
        assert_eq!(after("<artifactId>jna</artifactId>"), catalogue.version("jna").unwrap());
    }
}
