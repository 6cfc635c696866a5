//! The libraries and tools that the locks in `android/host` name: fetched by Maven, once, into the user's cache.

use super::android;
use crate::process::run;
use crate::setup;
use anyhow::{Context, Result, bail, ensure};
use std::collections::BTreeMap;
use std::fmt;
use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

const LOCKS: [&str; 2] = ["app.lock", "tools.lock"];
const COPY: &str = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy";

/// One line of a lock.
pub(super) struct Artifact {
    pub(super) group: String,
    pub(super) name: String,
    kind: String,
    pub(super) version: String,
    /// What it is for: a scope of the app or a tool.
    pub(super) set: String,
}

impl fmt::Display for Artifact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}:{}", self.group, self.name, self.kind, self.version)
    }
}

impl Artifact {
    fn parse(line: &str) -> Option<Self> {
        let mut parts = line.split(':').map(str::to_owned);
        let mut part = || parts.next().filter(|part| !part.is_empty());
        let artifact = Self { group: part()?, name: part()?, kind: part()?, version: part()?, set: part()? };
        parts.next().is_none().then_some(artifact)
    }

    /// Its file's name in the cache, where all versions lie side by side.
    fn file(&self) -> String {
        format!("{}.{}-{}.{}", self.group, self.name, self.version, self.kind)
    }

    fn item(&self, folder: &Path) -> String {
        format!(
            "<artifactItem><groupId>{}</groupId><artifactId>{}</artifactId><type>{}</type><version>{}</version>\
             <outputDirectory>{}</outputDirectory><destFileName>{}</destFileName></artifactItem>\n",
            self.group,
            self.name,
            self.kind,
            self.version,
            folder.display(),
            self.file()
        )
    }
}

/// All lines of both locks.
pub(super) fn lock() -> Result<Vec<Artifact>> {
    let mut all = Vec::new();
    for name in LOCKS {
        let path = android().join("host").join(name);
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            all.push(Artifact::parse(line).with_context(|| format!("{name}: no coordinate: {line}"))?);
        }
    }
    Ok(all)
}

/// Everything that the locks name, on this machine.
pub(super) struct Artifacts {
    folder: PathBuf,
    all: Vec<Artifact>,
}

impl Artifacts {
    /// Fetches what is missing. One process does so at a time; the others wait.
    pub(super) fn fetch() -> Result<Self> {
        let folder = setup::cache()?.join("android");
        fs::create_dir_all(&folder)?;
        let artifacts = Self { folder, all: lock()? };
        let lock_path = artifacts.folder.join("lock");
        let lock =
            File::create(&lock_path).with_context(|| format!("cannot write {}", lock_path.display()))?;
        lock.lock()?;
        artifacts.download()?;
        // aapt2 first: it compiles what the AARs hold of resources.
        let aars = artifacts.all.iter().filter(|artifact| artifact.kind == "aar");
        for artifact in artifacts.of("aapt2").chain(aars) {
            artifacts.unpack(artifact)?;
        }
        artifacts.check_bom()?;
        Ok(artifacts)
    }

    fn download(&self) -> Result<()> {
        let missing = |artifact: &&Artifact| !self.folder.join(artifact.file()).exists();
        // By file name: two tools may need the same library.
        let missing: BTreeMap<_, _> =
            self.all.iter().filter(missing).map(|artifact| (artifact.file(), artifact)).collect();
        if missing.is_empty() {
            return Ok(());
        }
        println!(
            "set-up: fetching {} Android artifacts with Maven into {}",
            missing.len(),
            self.folder.display()
        );
        let part = self.folder.join("part");
        fs::create_dir_all(&part)?;
        let items: String = missing.values().map(|artifact| artifact.item(&part)).collect();
        let pom = part.join("pom.xml");
        fs::write(
            &pom,
            format!(
                "<project><modelVersion>4.0.0</modelVersion><groupId>x</groupId><artifactId>x</artifactId>\
                 <version>1</version><packaging>pom</packaging><build><plugins><plugin>\
                 <groupId>org.apache.maven.plugins</groupId><artifactId>maven-dependency-plugin</artifactId>\
                 <configuration><artifactItems>\n{items}</artifactItems></configuration>\
                 </plugin></plugins></build></project>"
            ),
        )?;
        // Maven names the artifact that it does not find.
        run(Command::new("mvn")
            .args(["--quiet", "--batch-mode", "-Dstyle.color=never", "--file"])
            .arg(&pom)
            .arg(COPY))?;
        for (file, artifact) in missing {
            let moved = fs::rename(part.join(&file), self.folder.join(&file));
            moved.with_context(|| format!("Maven brought no {artifact}"))?;
        }
        Ok(fs::remove_dir_all(&part)?)
    }

    fn unpacked(&self, artifact: &Artifact) -> PathBuf {
        self.folder.join("unpacked").join(artifact.file())
    }

    fn unpack(&self, artifact: &Artifact) -> Result<()> {
        let folder = self.unpacked(artifact);
        if folder.exists() {
            return Ok(());
        }
        let part = self.folder.join("part");
        if part.exists() {
            fs::remove_dir_all(&part)?;
        }
        fs::create_dir_all(&part)?;
        fs::create_dir_all(self.folder.join("unpacked"))?;
        run(Command::new("jar").arg("xf").arg(self.folder.join(artifact.file())).current_dir(&part))?;
        if artifact.set == "aapt2" {
            fs::set_permissions(part.join(AAPT2), fs::Permissions::from_mode(0o755))?;
        }
        if part.join("res").is_dir() {
            run(Command::new(self.aapt2()?)
                .args(["compile", "--dir", "res", "-o", FLAT])
                .current_dir(&part))?;
        }
        Ok(fs::rename(&part, &folder)?)
    }

    /// The Compose libraries of the lock are those of the catalogue's BOM, which Gradle takes their versions from.
    fn check_bom(&self) -> Result<()> {
        let bom = fs::read_to_string(self.one("compose-bom")?)?;
        for artifact in self.all.iter().filter(|artifact| artifact.group.starts_with("androidx.compose.")) {
            let entry = bom.split_once(&format!("<artifactId>{}</artifactId>", artifact.name));
            let version = entry.and_then(|(_, rest)| rest.split(['<', '>']).nth(2));
            if let Some(version) = version {
                ensure!(
                    version == artifact.version,
                    "{artifact} is locked, and the Compose BOM says {version}"
                );
            }
        }
        Ok(())
    }

    fn of<'a>(&'a self, set: &'a str) -> impl Iterator<Item = &'a Artifact> {
        self.all.iter().filter(move |artifact| artifact.set == set)
    }

    /// The file of a set that has one only.
    pub(super) fn one(&self, set: &str) -> Result<PathBuf> {
        let mut all = self.of(set);
        match (all.next(), all.next()) {
            (Some(artifact), None) => Ok(self.folder.join(artifact.file())),
            _ => bail!("the locks name not exactly one {set}"),
        }
    }

    /// The unpacked AARs of a set.
    pub(super) fn aars(&self, set: &str) -> Vec<PathBuf> {
        self.of(set)
            .filter(|artifact| artifact.kind == "aar")
            .map(|artifact| self.unpacked(artifact))
            .collect()
    }

    /// What a set puts on the class path: its jars and what the AARs hold of such.
    pub(super) fn classpath(&self, set: &str) -> Result<Vec<PathBuf>> {
        let mut path = Vec::new();
        for artifact in self.of(set) {
            if artifact.kind == "aar" {
                let folder = self.unpacked(artifact);
                path.extend(Some(folder.join("classes.jar")).filter(|jar| jar.exists()));
                path.extend(super::files(&folder.join("libs"), ".jar")?);
            } else {
                path.push(self.folder.join(artifact.file()));
            }
        }
        Ok(path)
    }

    /// A command that runs `class` of a tool written in Java.
    pub(super) fn java(&self, tool: &str, class: &str) -> Result<Command> {
        let mut command = Command::new("java");
        command.arg("-cp").arg(super::joined(&self.classpath(tool)?)).arg(class);
        Ok(command)
    }

    /// The program that compiles and links resources.
    pub(super) fn aapt2(&self) -> Result<PathBuf> {
        let artifact = self.of("aapt2").next().context("the locks name no aapt2")?;
        Ok(self.unpacked(artifact).join(AAPT2))
    }
}

/// Where aapt2 lies in the jar that brings it.
const AAPT2: &str = "prebuilt/linux/aapt2_64";

/// An AAR's compiled resources, in its unpacked folder.
pub(super) const FLAT: &str = "flat.zip";
