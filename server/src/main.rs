//! The server's program: sets plants up, serves them, and copies them.
#![forbid(unsafe_code)]

use carboy_protocol::{Currency, PlantId};
use carboy_server::config::{Config, LogFormat, Place};
use carboy_server::env::{SystemClock, SystemRandom};
use carboy_server::serve::Bound;
use carboy_server::store::Store;
use carboy_server::{Error, Server, backup, health, sample};
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use std::io::{self, BufWriter, IsTerminal, Read, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use tokio::signal::unix::{SignalKind, signal};

/// The server of a Carboy plant: sync for the riders' phones and the manager's dashboard.
#[derive(Parser)]
#[command(name = "carboy-server", version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve until interrupted.
    Serve(Box<Config>),
    /// Make a plant and its owner; the password is read from standard input.
    Init {
        #[command(flatten)]
        place: Place,
        /// The plant's name.
        #[arg(long)]
        plant: String,
        /// The plant's currency, for example KES.
        #[arg(long)]
        currency: Currency,
        /// The manager's name.
        #[arg(long)]
        manager: String,
        /// What the manager signs in with, for example an e-mail address.
        #[arg(long)]
        login: String,
        /// The time zone that times are shown in, for example Africa/Nairobi.
        #[arg(long, default_value = "UTC")]
        time_zone: String,
        /// The language of pages where nobody asks for another one: en, fr, sw, hi or ar.
        #[arg(long, default_value = "en")]
        language: String,
    },
    /// Add a rider, or take the one of that name, and print an enrolment code, good for 15 minutes.
    Rider {
        #[command(flatten)]
        place: Place,
        /// The plant's id; not needed where there is only one.
        #[arg(long)]
        plant: Option<PlantId>,
        /// The rider's name.
        name: String,
    },
    /// Print a bearer token for a script that acts as a manager.
    Token {
        #[command(flatten)]
        place: Place,
        /// The plant's id; not needed where there is only one.
        #[arg(long)]
        plant: Option<PlantId>,
        /// The manager's name.
        #[arg(long)]
        manager: String,
        /// What the device list calls it.
        name: String,
    },
    /// Make a plant with invented data to try things on, and print as JSON what is needed to use it.
    Seed {
        #[command(flatten)]
        place: Place,
        /// How many customers.
        #[arg(long, default_value_t = 48)]
        customers: usize,
        /// How many routes.
        #[arg(long, default_value_t = 3)]
        routes: usize,
        /// How many riders.
        #[arg(long, default_value_t = 3)]
        riders: usize,
        /// What the manager signs in with.
        #[arg(long, default_value = "grace@example.com")]
        login: String,
        /// The manager's password.
        #[arg(long, default_value = "clean water")]
        password: String,
    },
    /// Make the database's tables, or bring those of an older version to this one's.
    Migrate {
        #[command(flatten)]
        place: Place,
    },
    /// Write a plant, as it is now, to standard output: to move it to another database with `import`.
    Export {
        #[command(flatten)]
        place: Place,
        /// The plant's id; not needed where there is only one.
        #[arg(long)]
        plant: Option<PlantId>,
    },
    /// Take in a plant that `export` wrote, from standard input: all of it or nothing.
    Import {
        #[command(flatten)]
        place: Place,
    },
    /// Drop what only phones that are revoked and had sent everything could ask for.
    Fold {
        #[command(flatten)]
        place: Place,
    },
    /// Copy a plant's SQLite database, which may be in use, to a new file.
    Backup {
        #[command(flatten)]
        place: Place,
        /// The file to make; it must not exist.
        file: PathBuf,
    },
    /// Ask the server that runs here with this configuration whether it is ready.
    Health {
        #[command(flatten)]
        place: Place,
    },
    /// Make a plant of a backup in a folder that holds none.
    Restore {
        #[command(flatten)]
        place: Place,
        /// The backup.
        file: PathBuf,
    },
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("carboy-server: {error}");
            ExitCode::FAILURE
        }
    }
}

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn run() -> Result<()> {
    let matches = Cli::command().get_matches();
    let command = Cli::from_arg_matches(&matches)?.command;
    let config = match (command.place(), matches.subcommand()) {
        (Some(place), _) => Config::of_place(place)?,
        (None, Some((_, flags))) => Config::of_flags(flags)?,
        (None, None) => Config::default(),
    };
    log(&config)?;
    match command {
        Command::Serve(_) => serve(&config),
        Command::Init { plant, currency, manager, login, time_zone, language, .. } => {
            let mut password = String::new();
            io::stdin().read_to_string(&mut password)?;
            // Before anything is made, so that a second try does not make a second plant.
            Server::check_formats(&time_zone, &language)?;
            let server = open(&config)?;
            let plant = server.create_plant(&plant, currency)?;
            let password = password.trim_end_matches(['\r', '\n']);
            let manager = server.create_owner(plant, &manager, &login, password)?;
            server.set_plant_formats(&manager, &time_zone, &language)?;
            print(&plant.to_string())
        }
        Command::Rider { plant, name, .. } => {
            let server = open(&config)?;
            let plant = the_plant(&server, plant)?;
            let known = server.accounts(plant)?.into_iter().find(|account| account.name == name);
            let rider = known.map_or_else(|| server.create_rider(plant, &name), Ok)?;
            print(&server.create_enrol_code(plant, rider.id)?.0)
        }
        Command::Token { plant, manager, name, .. } => {
            let server = open(&config)?;
            let plant = the_plant(&server, plant)?;
            let found = server.accounts(plant)?.into_iter().find(|account| account.name == manager);
            let account = found.ok_or_else(|| format!("nobody of that name: {manager}"))?;
            print(&server.create_token(plant, account.id, &name)?)
        }
        Command::Seed { customers, routes, riders, login, password, .. } => {
            let size = sample::Size { customers, routes, riders };
            let sample = sample::create(&open(&config)?, size, &login, &password)?;
            print(&serde_json::to_string_pretty(&sample)?)
        }
        Command::Migrate { .. } => {
            make_folder(&config)?;
            Store::migrate(&config.location())?;
            print("the database is of this version")
        }
        Command::Export { plant, .. } => {
            let server = open(&config)?;
            let plant = the_plant(&server, plant)?;
            Ok(server.store().export(plant, &mut BufWriter::new(io::stdout().lock()))?)
        }
        Command::Import { .. } => {
            let plant = open(&config)?.store().import(&mut io::stdin().lock())?;
            print(&plant.to_string())
        }
        Command::Fold { .. } => print(&format!("{} records folded", open(&config)?.fold()?)),
        Command::Backup { file, .. } => {
            sqlite_only(&config, "pg_basebackup (the whole server, with its write-ahead log) or pg_dump")?;
            backup::backup(&config.data, &file)?;
            print(&format!("{} is whole", file.display()))
        }
        Command::Health { .. } => Ok(health::ask(&config)?),
        Command::Restore { file, .. } => {
            sqlite_only(&config, "pg_restore, or start the server from what pg_basebackup made")?;
            backup::restore(&file, &config.data)?;
            print(&format!("{} holds the plant again", config.data.display()))
        }
    }
}

/// Log lines go to standard error: standard output is for what a command answers.
fn log(config: &Config) -> Result<()> {
    let filter: tracing_subscriber::EnvFilter = config.log_filter.to_string().parse()?;
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
    match config.log_format {
        LogFormat::Text => lines.with_ansi(io::stderr().is_terminal()).init(),
        LogFormat::Json => lines.json().flatten_event(true).with_current_span(false).init(),
    }
    Ok(())
}

fn open(config: &Config) -> Result<Server> {
    make_folder(config)?;
    Ok(Server::over(Store::open(&config.location())?, Arc::new(SystemClock), Arc::new(SystemRandom)))
}

fn make_folder(config: &Config) -> io::Result<()> {
    if config.database.is_some() { Ok(()) } else { std::fs::create_dir_all(&config.data) }
}

/// Refuses what works on a SQLite database where a PostgreSQL one is configured.
fn sqlite_only(config: &Config, instead: &str) -> Result<()> {
    match config.database {
        Some(_) => Err(format!("the plants are in PostgreSQL: use {instead}").into()),
        None => Ok(()),
    }
}

fn the_plant(server: &Server, given: Option<PlantId>) -> Result<PlantId> {
    if let Some(plant) = given {
        return Ok(plant);
    }
    match server.plants()?.as_slice() {
        [plant] => Ok(plant.id),
        plants => Err(Error::Invalid(format!("{} plants here: name one with --plant", plants.len())).into()),
    }
}

fn serve(config: &Config) -> Result<()> {
    let server = open(config)?;
    server.settle_parked()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let bound = Bound::new(server, config).await?;
        print(&format!("listening on {}", bound.url()?))?;
        if let Some(url) = bound.metrics_url()? {
            print(&format!("metrics on {url}"))?;
        }
        Ok(bound.run(stopped()?).await?)
    })
}

/// Ends when the process is asked to end.
fn stopped() -> io::Result<impl Future<Output = ()>> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

impl Command {
    /// Where the plants are, as told by flags; `None` for the command that takes all of the configuration.
    fn place(&self) -> Option<&Place> {
        match self {
            Self::Serve(_) => None,
            Self::Init { place, .. }
            | Self::Rider { place, .. }
            | Self::Token { place, .. }
            | Self::Seed { place, .. }
            | Self::Migrate { place }
            | Self::Export { place, .. }
            | Self::Import { place }
            | Self::Fold { place }
            | Self::Backup { place, .. }
            | Self::Health { place }
            | Self::Restore { place, .. } => Some(place),
        }
    }
}

/// Whoever started this may wait for the line.
fn print(line: &str) -> Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}")?;
    Ok(out.flush()?)
}
