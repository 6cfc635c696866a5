//! The server's program: sets plants up and serves them.
#![forbid(unsafe_code)]

use carboy_protocol::{Currency, PlantId};
use carboy_server::{Error, Server, http, sample};
use clap::{Args, Parser, Subcommand};
use std::io::{self, IsTerminal, Read, Write};
use std::net::SocketAddr;
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

#[derive(Args)]
struct Data {
    /// The folder that holds the database; made if absent.
    #[arg(long, value_name = "DIR", env = "CARBOY_DATA", default_value = "carboy-data")]
    data: PathBuf,
}

#[derive(Subcommand)]
enum Command {
    /// Serve until interrupted.
    Serve {
        #[command(flatten)]
        data: Data,
        /// The address to listen on; port 0 takes a free one.
        #[arg(long, default_value = "127.0.0.1:8480")]
        listen: SocketAddr,
    },
    /// Make a plant and its first manager; the password is read from standard input.
    Init {
        #[command(flatten)]
        data: Data,
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
        data: Data,
        /// The plant's id; not needed where there is only one.
        #[arg(long)]
        plant: Option<PlantId>,
        /// The rider's name.
        name: String,
    },
    /// Print a bearer token for a script that acts as a manager.
    Token {
        #[command(flatten)]
        data: Data,
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
        data: Data,
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
}

fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_env_filter(
            tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "info".into()),
        )
        .with_ansi(io::stderr().is_terminal())
        .with_writer(io::stderr)
        .init();
    match run(Cli::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("carboy-server: {error}");
            ExitCode::FAILURE
        }
    }
}

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn run(command: Command) -> Result<()> {
    match command {
        Command::Serve { data, listen } => serve(open(&data)?, listen),
        Command::Init { data, plant, currency, manager, login, time_zone, language } => {
            let mut password = String::new();
            io::stdin().read_to_string(&mut password)?;
            // Before anything is made, so that a second try does not make a second plant.
            Server::check_formats(&time_zone, &language)?;
            let server = open(&data)?;
            let plant = server.create_plant(&plant, currency)?;
            let password = password.trim_end_matches(['\r', '\n']);
            let manager = server.create_manager(plant, &manager, &login, password)?;
            server.set_plant_formats(&manager, &time_zone, &language)?;
            print(&plant.to_string())
        }
        Command::Rider { data, plant, name } => {
            let server = open(&data)?;
            let plant = the_plant(&server, plant)?;
            let known = server.accounts(plant)?.into_iter().find(|account| account.name == name);
            let rider = known.map_or_else(|| server.create_rider(plant, &name), Ok)?;
            print(&server.create_enrol_code(plant, rider.id)?.0)
        }
        Command::Token { data, plant, manager, name } => {
            let server = open(&data)?;
            let plant = the_plant(&server, plant)?;
            let found = server.accounts(plant)?.into_iter().find(|account| account.name == manager);
            let account = found.ok_or_else(|| format!("nobody of that name: {manager}"))?;
            print(&server.create_token(plant, account.id, &name)?)
        }
        Command::Seed { data, customers, routes, riders, login, password } => {
            let size = sample::Size { customers, routes, riders };
            let sample = sample::create(&open(&data)?, size, &login, &password)?;
            print(&serde_json::to_string_pretty(&sample)?)
        }
    }
}

fn open(data: &Data) -> Result<Server> {
    std::fs::create_dir_all(&data.data)?;
    Ok(Server::open(&data.data.join("carboy.db"))?)
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

fn serve(server: Server, listen: SocketAddr) -> Result<()> {
    server.settle_parked()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind(listen).await?;
        print(&format!("listening on http://{}", listener.local_addr()?))?;
        let router = http::router(Arc::new(server)).into_make_service_with_connect_info::<SocketAddr>();
        let stop = stopped()?;
        axum::serve(listener, router).with_graceful_shutdown(stop).await?;
        Ok(())
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
        tracing::info!("stopping: finishing what was accepted");
    })
}

/// Whoever started this may wait for the line.
fn print(line: &str) -> Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}")?;
    Ok(out.flush()?)
}
