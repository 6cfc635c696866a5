//! Layers of configuration laid over each other: defaults, a file, the environment, flags.

use super::{Config, Place};
use clap::parser::ValueSource;
use clap::{ArgMatches, CommandFactory, Parser};
use figment::providers::{Data, Format, Serialized};
use figment::value::{Dict, Map, Value};
use figment::{Figment, Metadata, Profile, Provider};
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

/// Begins the name of every variable of the environment.
const PREFIX: &str = "CARBOY_";

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// A value or key that is not acceptable; the text names it and its source.
    #[error("{0}")]
    Value(#[from] Box<figment::Error>),
    /// The file cannot be read.
    #[error("configuration file {}: {error}", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What reading it said.
        error: std::io::Error,
    },
    /// One key is given without another.
    #[error("{0} and {1} belong together: give both or none")]
    Together(&'static str, &'static str),
    /// A number is too small or too large.
    #[error("{0} is out of range: {1}")]
    OutOfRange(&'static str, String),
}

/// Only to have clap know the defaults and the names.
#[derive(Parser)]
struct Defaults {
    #[command(flatten)]
    config: Config,
}

impl Default for Config {
    fn default() -> Self {
        Defaults::parse_from([""]).config
    }
}

impl Config {
    /// The names of all keys, as in the file.
    pub fn keys() -> Vec<String> {
        let command = Defaults::command();
        let names = command.get_arguments().map(|argument| argument.get_id().as_str().replace('_', "-"));
        names.filter(|name| !matches!(name.as_str(), "config" | "help")).collect()
    }

    /// The configuration of `serve`, whose flags are `matches`.
    ///
    /// # Errors
    /// If the file cannot be read or a value is not acceptable.
    pub fn of_flags(matches: &ArgMatches) -> Result<Self, ConfigError> {
        let given = |key: &str| {
            let id = key.replace('-', "_");
            let is_given = matches.value_source(&id) == Some(ValueSource::CommandLine);
            matches.get_raw(&id).filter(|_| is_given)?.next().map(OsStr::to_owned)
        };
        Self::layered(matches.get_one::<PathBuf>("config").cloned(), flags(given))
    }

    /// The configuration of a command that only takes [`Place`]'s flags.
    ///
    /// # Errors
    /// If the file cannot be read or a value is not acceptable.
    pub fn of_place(place: &Place) -> Result<Self, ConfigError> {
        let given = |key: &str| match key {
            "data" => place.data.as_ref().map(|path| path.clone().into_os_string()),
            "database" => place.database.as_ref().map(|url| url.0.clone().into()),
            _ => None,
        };
        Self::layered(place.config.clone(), flags(given))
    }

    fn layered(file: Option<PathBuf>, flags: Texts) -> Result<Self, ConfigError> {
        let mut figment = Figment::from(Serialized::defaults(Self::default()));
        let file = file.or_else(|| std::env::var_os(format!("{PREFIX}CONFIG")).map(PathBuf::from));
        if let Some(path) = file {
            readable(&path)?;
            figment = figment.merge(Data::<Toml>::file_exact(path));
        }
        let config: Self = figment.merge(environment()).merge(flags).extract().map_err(Box::new)?;
        config.check()?;
        Ok(config)
    }
}

/// A file that was named and is not there must not pass for an empty one.
fn readable(path: &Path) -> Result<(), ConfigError> {
    match std::fs::File::open(path) {
        Ok(_) => Ok(()),
        Err(error) => Err(ConfigError::File { path: path.to_owned(), error }),
    }
}

/// The workspace's own version of TOML.
struct Toml;

impl Format for Toml {
    type Error = toml::de::Error;
    const NAME: &'static str = "TOML";

    fn from_str<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, Self::Error> {
        toml::from_str(text)
    }
}

/// Values that came as text, under names that belong to their source.
struct Texts {
    source: &'static str,
    name_of: fn(&str) -> String,
    values: Dict,
}

impl Texts {
    fn new(
        source: &'static str,
        name_of: fn(&str) -> String,
        value: impl Fn(&str) -> Option<OsString>,
    ) -> Self {
        let pairs = Config::keys().into_iter().filter_map(|key| {
            let text = value(&key)?.to_string_lossy().into_owned();
            // A number is one, and everything else a text: this never fails.
            text.parse().ok().map(|value: Value| (key, value))
        });
        Self { source, name_of, values: pairs.collect() }
    }
}

impl Provider for Texts {
    fn metadata(&self) -> Metadata {
        let name_of = self.name_of;
        Metadata::named(self.source).interpolater(move |_, path| name_of(&path.join(".")))
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        Ok(Profile::Default.collect(self.values.clone()))
    }
}

fn environment() -> Texts {
    let name_of = |key: &str| format!("{PREFIX}{}", key.replace('-', "_").to_uppercase());
    Texts::new("the environment", name_of, |key| std::env::var_os(name_of(key)))
}

fn flags(value: impl Fn(&str) -> Option<OsString>) -> Texts {
    Texts::new("the flags", |key| format!("--{key}"), value)
}
