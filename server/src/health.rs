//! Asks a running server how it is, for a container that holds no other program.

use crate::config::Config;
use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::time::Duration;

/// How long the server may take to answer.
const LIMIT: Duration = Duration::from_secs(4);

/// Whether the server with this configuration, on this machine, is ready. It is asked on its address for metrics if
/// it has one, for that never needs TLS.
///
/// # Errors
/// If it does not answer, or says that it is not ready; or if it has no address without TLS.
pub fn ask(config: &Config) -> io::Result<()> {
    let address = match (config.metrics_listen, &config.tls_cert) {
        (Some(address), _) => address,
        (None, None) => config.listen,
        (None, Some(_)) => {
            return Err(io::Error::other("with TLS, metrics-listen is needed to ask how it is"));
        }
    };
    let mut stream = TcpStream::connect_timeout(&reachable(address), LIMIT)?;
    stream.set_read_timeout(Some(LIMIT))?;
    stream.write_all(b"GET /readyz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    if answer.starts_with("HTTP/1.1 200 ") {
        return Ok(());
    }
    Err(io::Error::other(format!("not ready: {}", answer.lines().last().unwrap_or_default())))
}

/// Where something that listens on every address is reached.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        ip if !ip.is_unspecified() => ip,
        IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
    };
    SocketAddr::new(ip, address.port())
}
