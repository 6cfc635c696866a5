//! The real router on a real socket, in a process of its own, and connections to it.

use anyhow::{Context, Result, ensure};
use carboy_protocol::wire;
use carboy_server::store::{Location, Store};
use carboy_server::{Server, env, http};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::{Request, header};
use hyper_util::rt::TokioIo;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use tokio::net::{TcpListener, TcpStream};

/// A server's process. It ends with this.
pub(crate) struct Served {
    process: Child,
    address: SocketAddr,
}

impl Served {
    pub(crate) fn start(location: &str) -> Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["--served", location]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn()?;
        let mut line = String::new();
        BufReader::new(process.stdout.take().context("no output")?).read_line(&mut line)?;
        let address = line.trim().parse().with_context(|| format!("the server said {line:?}"))?;
        Ok(Self { process, address })
    }

    /// A connection of its own, kept alive. To be called within the runtime that serves it.
    pub(crate) async fn connect(&self) -> Result<Connection> {
        let stream = TcpStream::connect(self.address).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(Connection { sender })
    }

    /// Its address, as a phone is told.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Resident memory, in KiB.
    pub(crate) fn resident(&self) -> Result<u32> {
        crate::memory::figure(&self.process.id().to_string(), "VmRSS:")
    }

    /// The processor's time that it has used, in milliseconds.
    pub(crate) fn cpu_ms(&self) -> Result<f64> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.process.id()))?;
        let (_, fields) = stat.rsplit_once(") ").context("no name in /proc/PID/stat")?;
        // User and system time, in hundredths of a second.
        let ticks = fields.split(' ').skip(11).take(2).map(str::parse::<u32>).sum::<Result<u32, _>>()?;
        Ok(f64::from(ticks) * 10.0)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // It serves until its input ends.
        drop(self.process.stdin.take());
        if let Err(error) = self.process.wait() {
            eprintln!("the server's process: {error}");
        }
    }
}

/// One connection to the server.
pub(crate) struct Connection {
    sender: SendRequest<Full<Bytes>>,
}

impl Connection {
    /// Sends a request and receives all of the reply, as it came.
    pub(crate) async fn exchange(&mut self, request: Request<Full<Bytes>>) -> Result<Bytes> {
        self.sender.ready().await?;
        let reply = self.sender.send_request(request).await?;
        let status = reply.status();
        let body = reply.into_body().collect().await?.to_bytes();
        ensure!(status.is_success(), "status {status}: {}", String::from_utf8_lossy(&body));
        Ok(body)
    }
}

/// A phone's request, compressed as a phone does it.
pub(crate) fn sync_request(token: &str, request: &wire::SyncRequest) -> Result<Request<Full<Bytes>>> {
    let body = crate::world::gzipped(&serde_json::to_vec(request)?)?;
    let request = Request::post(wire::SYNC_PATH)
        .header(header::HOST, "plant")
        .header(header::AUTHORIZATION, format!("Bearer {token}"))
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::CONTENT_ENCODING, "gzip")
        .header(header::ACCEPT_ENCODING, "gzip")
        .header(wire::HEADER, wire::VERSION);
    Ok(request.body(Full::new(body.into()))?)
}

/// The child: serves the database until its input ends.
pub(crate) fn serve(location: &str) -> Result<()> {
    let location: Location = location.parse()?;
    let server =
        Server::over(Store::open(&location)?, Arc::new(env::SystemClock), Arc::new(env::SystemRandom));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        println!("{}", listener.local_addr()?);
        let router = http::router(Arc::new(server)).into_make_service_with_connect_info::<SocketAddr>();
        tokio::spawn(async { axum::serve(listener, router).await });
        tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new())).await??;
        Ok(())
    })
}
