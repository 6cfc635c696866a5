//! How a server is set up: by flags, environment and a file, in this order, and defaults for the rest.
//!
//! [`Config`] is all of it. A value that is not acceptable is an [`ConfigError`] that names where it came from.

mod layers;
mod values;

pub use layers::ConfigError;
pub use values::{LogFilter, LogFormat, Networks, PublicUrl, Secret, Span};

use crate::backup::DATABASE;
use crate::store::Location;
use clap::Args;
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use std::path::PathBuf;

/// What `serve` works with. Each key is a flag (`--body-timeout`), a variable of the environment
/// (`CARBOY_BODY_TIMEOUT`) and a key of the file (`body-timeout`).
#[derive(Debug, Clone, PartialEq, Eq, Args, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Config {
    /// A TOML file with any of the keys below (also CARBOY_CONFIG).
    #[arg(long, value_name = "FILE")]
    #[serde(skip)]
    pub config: Option<PathBuf>,
    /// The folder that holds the SQLite database; made if absent.
    #[arg(long, value_name = "DIR", default_value = "carboy-data")]
    pub data: PathBuf,
    /// A PostgreSQL database (`postgresql://…`) instead of the folder.
    #[arg(long, value_name = "URL")]
    pub database: Option<Secret>,
    /// The address to listen on; port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8480")]
    pub listen: SocketAddr,
    /// The certificate chain (PEM) to serve HTTPS with; read again when it changes and on SIGHUP.
    #[arg(long, value_name = "FILE")]
    pub tls_cert: Option<PathBuf>,
    /// The private key (PEM) of the certificate.
    #[arg(long, value_name = "FILE")]
    pub tls_key: Option<PathBuf>,
    /// Proxies whose X-Forwarded-For and X-Forwarded-Proto are believed: addresses or networks, with commas.
    #[arg(long, value_name = "NETWORKS", default_value = "")]
    pub trusted_proxies: Networks,
    /// The address under which phones and browsers reach this server (`https://…`): for QR codes and cookies.
    #[arg(long, value_name = "URL")]
    pub public_url: Option<PublicUrl>,
    /// How log lines are written.
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub log_format: LogFormat,
    /// What is logged: a level, or targets with levels (`info,carboy_server=debug`).
    #[arg(long, value_name = "FILTER", default_value = "info")]
    pub log_filter: LogFilter,
    /// The most connections at once, 1 to 1,000,000; further ones wait to be accepted.
    #[arg(long, value_name = "COUNT", default_value_t = 10_000)]
    pub max_connections: u32,
    /// How long a client may take to send a request's head; an idle connection is closed after it.
    #[arg(long, value_name = "TIME", default_value = "30s")]
    pub header_timeout: Span,
    /// How long a client may take to send a request's body.
    #[arg(long, value_name = "TIME", default_value = "2m")]
    pub body_timeout: Span,
    /// How long a client may take none of a reply before it is given up.
    #[arg(long, value_name = "TIME", default_value = "30s")]
    pub write_timeout: Span,
    /// A second address that serves /metrics, /healthz and /readyz; without it there are no metrics.
    #[arg(long, value_name = "ADDRESS")]
    pub metrics_listen: Option<SocketAddr>,
    /// How long requests in flight are waited for when the server is asked to end.
    #[arg(long, value_name = "TIME", default_value = "30s")]
    pub shutdown_grace: Span,
}

/// Where the plants are: the part of [`Config`] that every other command takes as flags.
#[derive(Debug, Clone, Args)]
pub struct Place {
    /// A TOML file as for `serve` (also CARBOY_CONFIG).
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The folder that holds the SQLite database; made if absent.
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// A PostgreSQL database (`postgresql://…`) instead of the folder.
    #[arg(long, value_name = "URL")]
    pub database: Option<Secret>,
}

impl Config {
    /// Where the plants are.
    pub fn location(&self) -> Location {
        match &self.database {
            Some(url) => Location::Postgres(url.0.clone()),
            None => Location::Sqlite(self.data.join(DATABASE)),
        }
    }

    /// What holds between values, once each is acceptable in itself.
    fn check(&self) -> Result<(), ConfigError> {
        if self.tls_cert.is_some() != self.tls_key.is_some() {
            return Err(ConfigError::Together("tls-cert", "tls-key"));
        }
        if !(1..=1_000_000).contains(&self.max_connections) {
            return Err(ConfigError::OutOfRange("max-connections", self.max_connections.to_string()));
        }
        Ok(())
    }
}
