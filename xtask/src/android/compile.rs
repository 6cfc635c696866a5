//! Kotlin compiled with the compiler that the catalogue names, module by module.

use super::resources::resources;
use super::step::{Inputs, Made, step};
use super::{Build, Module, android, files, joined};
use crate::process::{repository, run};
use anyhow::{Result, ensure};
use std::path::PathBuf;

/// One run of the compiler.
struct Unit<'a> {
    /// What its folder and its Kotlin module are called.
    name: &'a str,
    sources: Vec<PathBuf>,
    /// What it is compiled against and made here.
    upstream: &'a [&'a Made],
    /// The folders of the upstream's classes, and the libraries.
    classpath: Vec<PathBuf>,
    /// The classes whose internal parts it sees.
    friend: Option<&'a Made>,
    compose: bool,
}

impl Build {
    /// The libraries of `sets` and then Android itself: what it has beyond the public classes must not be found first.
    pub(super) fn libraries(&self, sets: &[&str]) -> Result<Vec<PathBuf>> {
        let mut all = Vec::new();
        for set in sets {
            all.extend(self.artifacts.classpath(set)?);
        }
        all.push(self.artifacts.one("framework")?);
        Ok(all)
    }

    /// The Kotlin package.
    pub(super) fn carboy(&self) -> Result<Made> {
        let package = repository().join("bindings/kotlin");
        let mut sources = files(&package.join("generated"), ".kt")?;
        ensure!(!sources.is_empty(), "no generated Kotlin: run `cargo xtask bindings`");
        sources.extend(files(&package.join("src/main/kotlin"), ".kt")?);
        let classpath = self.libraries(&["main"])?;
        self.kotlin(&Unit { name: "carboy", sources, upstream: &[], classpath, friend: None, compose: false })
    }

    /// The classes of a module and then of what it is built on.
    pub(super) fn compile(&self, module: &'static Module) -> Result<Vec<Made>> {
        let below = match module.below {
            Some(below) => self.compile(below)?,
            None => vec![self.carboy()?],
        };
        let resources = resources(self, module, &["main"])?;
        let upstream: Vec<_> = below.iter().chain([&resources.made]).collect();
        let mut classpath = vec![resources.classes()];
        classpath.extend(below.iter().map(|made| made.folder.clone()));
        classpath.extend(self.libraries(&["main"])?);
        let own = self.kotlin(&Unit {
            name: module.name,
            sources: files(&module.main().join("kotlin"), ".kt")?,
            upstream: &upstream,
            classpath,
            friend: None,
            compose: module.compose,
        })?;
        Ok([vec![own], below].concat())
    }

    /// What the tests of all modules share.
    pub(super) fn testing(&self, carboy: &Made) -> Result<Made> {
        let mut classpath = vec![carboy.folder.clone()];
        classpath.extend(self.libraries(&["main", "test"])?);
        self.kotlin(&Unit {
            name: "testing",
            sources: files(&android().join("testing/src/main/kotlin"), ".kt")?,
            upstream: &[carboy],
            classpath,
            friend: None,
            compose: false,
        })
    }

    /// The tests of a module whose classes are the first of `upstream`, which made what is new on `classpath`.
    pub(super) fn compile_tests(
        &self,
        module: &'static Module,
        upstream: &[&Made],
        classpath: Vec<PathBuf>,
    ) -> Result<Made> {
        self.kotlin(&Unit {
            name: &format!("{}-tests", module.name),
            sources: files(&module.folder().join("src/test/kotlin"), ".kt")?,
            upstream,
            classpath,
            friend: upstream.first().copied(),
            compose: module.compose,
        })
    }

    fn kotlin(&self, unit: &Unit<'_>) -> Result<Made> {
        ensure!(!unit.sources.is_empty(), "{} has no Kotlin sources", unit.name);
        let keys: Vec<_> = unit.upstream.iter().map(|made| made.key).collect();
        let inputs = Inputs::new()?.files(&unit.sources)?.value(keys).value(&unit.classpath);
        step(&self.out.join(unit.name), &inputs, |out| {
            let mut command = self.artifacts.java("kotlinc", "org.jetbrains.kotlin.cli.jvm.K2JVMCompiler")?;
            command.args(["-no-stdlib", "-no-reflect", "-jvm-target", "17", "-module-name", unit.name]);
            if unit.compose {
                command.arg(format!("-Xplugin={}", self.artifacts.one("compose")?.display()));
            }
            if let Some(friend) = unit.friend {
                command.arg(format!("-Xfriend-paths={}", friend.folder.display()));
            }
            command.arg("-cp").arg(joined(&unit.classpath)).arg("-d").arg(out).args(&unit.sources);
            run(&mut command)
        })
    }
}
