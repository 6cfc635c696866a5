//! A morning of three riders against a real server: real cores, real HTTP, a recorded 3G link with a basement laid
//! over it, and a manager who changes the same customer meanwhile. In the end what each phone recorded is compared
//! with what the server holds.

mod manager;
mod morning;
mod report;
mod rider;

use anyhow::{Context, Result};
use carboy_server::{Server, http, sample};
use clap::Parser;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use tokio::net::TcpListener;

/// A morning of three riders on a recorded 3G link, against a real server with its dashboard.
#[derive(Parser)]
#[command(name = "cargo xtask demo")]
pub(crate) struct Options {
    /// Actions of the three riders together.
    #[arg(long, default_value_t = 600)]
    actions: usize,
    /// Real seconds that the morning takes.
    #[arg(long, default_value_t = 60)]
    seconds: u32,
    /// End when the morning is over instead of keeping the dashboard running.
    #[arg(long)]
    exit: bool,
    /// Where the server listens; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
}

const LOGIN: &str = "grace@example.com";
const PASSWORD: &str = "clean water";

/// A running server with a sample plant.
pub(crate) struct Plant {
    pub(crate) address: SocketAddr,
    pub(crate) database: PathBuf,
    pub(crate) sample: sample::Sample,
}

#[tokio::main]
async fn main() -> Result<ExitCode> {
    let options = Options::parse();
    let folder = tempfile::tempdir()?;
    let plant = start(&options, folder.path()).await?;
    let dashboard = format!("http://{}/", plant.address);
    println!(
        "{}: {} customers on {} routes, {} riders",
        plant.sample.plant_name,
        plant.sample.customers.len(),
        plant.sample.routes.len(),
        plant.sample.riders.len()
    );
    println!("dashboard: {dashboard}  (sign in as {LOGIN} with the password: {PASSWORD})\n");

    let riders = morning::run(&options, &plant, folder.path()).await?;
    let agree = report::print(&plant, &riders)?;
    drop(riders);
    if !options.exit {
        println!("\nthe dashboard keeps running at {dashboard} until Ctrl-C");
        tokio::signal::ctrl_c().await?;
    }
    Ok(if agree { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn start(options: &Options, folder: &Path) -> Result<Plant> {
    let database = folder.join("plant.db");
    let server = Arc::new(Server::open(&database)?);
    let size = sample::Size { customers: 48, routes: 3, riders: 3 };
    let sample = sample::create(&server, size, LOGIN, PASSWORD)?;
    let listener = TcpListener::bind(options.listen)
        .await
        .with_context(|| format!("cannot listen on {}", options.listen))?;
    let address = listener.local_addr()?;
    let service = http::router(server).into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move {
        if let Err(error) = axum::serve(listener, service).await {
            eprintln!("the server ended: {error}");
        }
    });
    Ok(Plant { address, database, sample })
}
