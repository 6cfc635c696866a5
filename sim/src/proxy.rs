//! A TCP proxy that puts a [`Link`] between a real client and a real server on loopback.
//!
//! Each direction of a connection is a pipeline: read a packet, book its arrival on the link, hold it until then,
//! write it. At most 256 packets are held; when they are, nothing more is read, and TCP slows its sender.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::clock::{Clock, Ms};
use crate::link::{Direction, Link};

/// The largest packet in bytes, as in the recorded traces. Bytes reach the other side a packet at a time.
const PACKET: usize = 1_500;

/// Packets held per connection and direction: 384 kB, above the 219 kB that the recorded downlink, at its best,
/// has under way in half a round trip.
const WINDOW: usize = 256;

/// How long a server goes on with a phone that it cannot know to be gone, in virtual ms.
const HALF_OPEN_MS: Ms = 60_000;

/// What went through a proxy so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Connections opened while there was signal.
    pub connections: u64,
    /// Connections refused for want of signal.
    pub refused: u64,
    /// Connections cut, by an outage or by [`Proxy::cut_after`].
    pub cuts: u64,
    /// Bytes handed to the server.
    pub up_bytes: u64,
    /// Bytes handed to phones.
    pub down_bytes: u64,
}

/// A running proxy. It lives on the tokio runtime that started it; dropping it stops it without waiting.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    air: Arc<Air>,
    stop: DropGuard,
    serving: JoinHandle<io::Result<()>>,
}

impl Proxy {
    /// Listens on a free port of 127.0.0.1 and passes every connection on to `server` by way of `link`, which all of
    /// them share. A new connection costs a round trip before its first byte. Without signal a connection is reset as
    /// soon as it is accepted; when signal goes, open ones are reset on the phone's side, while what is through the
    /// air by then still reaches the server, which does not notice for a virtual minute.
    ///
    /// # Errors
    /// When it cannot listen.
    pub async fn start(link: Link, clock: Clock, server: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        let air = Arc::new(Air { clock, server, state: Mutex::new(State::new(link)) });
        let stop = CancellationToken::new();
        let serving = tokio::spawn(serve(Arc::clone(&air), listener, stop.clone()));
        Ok(Self { address, air, stop: stop.drop_guard(), serving })
    }

    /// Where the phone connects.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What went through so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.air.state().counts
    }

    /// Once `bytes` more have gone this way, cuts the connection that carries them, as an outage would; the rest of
    /// the packet is lost. With 0 the next byte itself is lost: down, that is a lost reply. Happens once.
    pub fn cut_after(&self, direction: Direction, bytes: u64) {
        *self.air.state().cut_in(direction) = Some(bytes);
    }

    /// Accepts no more, closes every connection, and waits until that is done.
    ///
    /// # Errors
    /// What ended the proxy before it was asked to stop, if anything did.
    pub async fn stop(self) -> io::Result<Counts> {
        drop(self.stop);
        self.serving.await??;
        Ok(self.air.state().counts)
    }
}

/// What all connections of a proxy share.
#[derive(Debug)]
struct Air {
    clock: Clock,
    server: SocketAddr,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    link: Link,
    counts: Counts,
    /// Bytes left to go up until an asked-for cut.
    cut_up: Option<u64>,
    /// Bytes left to go down until an asked-for cut.
    cut_down: Option<u64>,
}

impl Air {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn new(link: Link) -> Self {
        Self { link, counts: Counts::default(), cut_up: None, cut_down: None }
    }

    fn cut_in(&mut self, direction: Direction) -> &mut Option<u64> {
        match direction {
            Direction::Up => &mut self.cut_up,
            Direction::Down => &mut self.cut_down,
        }
    }

    /// Counts a packet through; says how many of its bytes are, and whether the connection is cut after them.
    fn pass(&mut self, direction: Direction, packet: &[u8]) -> (usize, bool) {
        let left = self.cut_in(direction);
        let (passed, cut) = match left.take() {
            Some(bytes) if bytes <= packet.len() as u64 => {
                (usize::try_from(bytes).unwrap_or(packet.len()), true)
            }
            more => {
                *left = more.map(|bytes| bytes - packet.len() as u64);
                (packet.len(), false)
            }
        };
        match direction {
            Direction::Up => self.counts.up_bytes += passed as u64,
            Direction::Down => self.counts.down_bytes += passed as u64,
        }
        (passed, cut)
    }
}

async fn serve(air: Arc<Air>, listener: TcpListener, stop: CancellationToken) -> io::Result<()> {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept() => {
                connections.spawn(connect(Arc::clone(&air), accepted?.0));
            }
            Some(ended) = connections.join_next() => ended?,
        }
    }
    connections.shutdown().await;
    Ok(())
}

async fn connect(air: Arc<Air>, phone: TcpStream) {
    send_at_once(&phone);
    let opened = air.clock.now();
    let lost_at = {
        let mut state = air.state();
        if !state.link.has_signal(opened) {
            state.counts.refused += 1;
            return reset(&phone);
        }
        state.counts.connections += 1;
        state.link.next_change(opened)
    };
    Connection { air, opened, lost_at, cut: CancellationToken::new() }.carry(phone).await;
}

/// Keeps the system from holding a packet back until the one before is acknowledged: up to 40 ms, which at a scale of
/// 240 are ten virtual seconds, and a reset would discard it.
fn send_at_once(stream: &TcpStream) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::warn!(%error, "a connection's packets may arrive up to 40 real ms late");
    }
}

/// Makes the other side see a reset, never an orderly end, once the stream is dropped.
fn reset(stream: &TcpStream) {
    if let Err(error) = stream.set_zero_linger() {
        tracing::warn!(%error, "a connection ends in order instead of with a reset");
    }
}

/// A packet on its way; an empty one is the stream's orderly end. A queue that closes without one was torn.
struct Packet {
    arrives: Ms,
    bytes: Vec<u8>,
}

fn packet_queue() -> (mpsc::Sender<Packet>, mpsc::Receiver<Packet>) {
    mpsc::channel(WINDOW)
}

/// The stream ended without its orderly end.
struct Torn;

struct Connection {
    air: Arc<Air>,
    opened: Ms,
    /// When the next outage cuts it.
    lost_at: Option<Ms>,
    cut: CancellationToken,
}

impl Connection {
    async fn carry(&self, phone: TcpStream) {
        let (to_server, from_phone) = packet_queue();
        let (to_phone, from_server) = packet_queue();
        tokio::join!(self.phone_side(phone, to_server, from_server), self.server_side(to_phone, from_phone),);
    }

    async fn phone_side(&self, mut phone: TcpStream, up: mpsc::Sender<Packet>, down: mpsc::Receiver<Packet>) {
        let handshake = self.opened + self.air.state().link.rtt();
        let (reader, writer) = phone.split();
        let exchange = async {
            self.air.clock.sleep_until(handshake).await;
            self.exchange((Direction::Up, reader, up), (Direction::Down, down, writer)).await
        };
        let ended = tokio::select! {
            biased;
            () = self.signal_lost() => {
                self.cut.cancel();
                Err(Torn)
            }
            () = self.cut.cancelled() => Err(Torn),
            ended = exchange => ended,
        };
        if self.cut.is_cancelled() {
            self.air.state().counts.cuts += 1;
        }
        if ended.is_err() {
            reset(&phone);
        }
    }

    async fn server_side(&self, down: mpsc::Sender<Packet>, up: mpsc::Receiver<Packet>) {
        let mut server = match TcpStream::connect(self.air.server).await {
            Ok(server) => server,
            Err(error) => {
                return tracing::warn!(%error, server = %self.air.server, "the server is out of reach");
            }
        };
        send_at_once(&server);
        let (reader, writer) = server.split();
        if self.exchange((Direction::Down, reader, down), (Direction::Up, up, writer)).await.is_err() {
            if self.cut.is_cancelled() {
                self.stay_half_open(&mut server).await;
            }
            reset(&server);
        }
    }

    /// A phone that loses signal sends no word of it: the server finishes what it is at and answers into the void.
    async fn stay_half_open(&self, server: &mut TcpStream) {
        let until = self.air.clock.now() + HALF_OPEN_MS;
        let mut void = tokio::io::sink();
        tokio::select! {
            () = self.air.clock.sleep_until(until) => {}
            ended = tokio::io::copy(server, &mut void) => {
                tracing::debug!(?ended, "the server gave up on a lost phone");
            }
        }
    }

    /// Carries one side's bytes both ways until both ways have ended in order, or one was torn.
    async fn exchange<R: AsyncRead + Unpin, W: AsyncWrite + Unpin>(
        &self,
        (there, from, to_queue): (Direction, R, mpsc::Sender<Packet>),
        (back, from_queue, to): (Direction, mpsc::Receiver<Packet>, W),
    ) -> Result<(), Torn> {
        let book = async {
            self.book(there, from, to_queue).await;
            Ok(())
        };
        tokio::try_join!(book, self.deliver(back, from_queue, to)).map(|_| ())
    }

    /// Reads packets and books each on the link, until the stream ends, the far side is gone or the signal is.
    async fn book(
        &self,
        direction: Direction,
        mut from: impl AsyncRead + Unpin,
        queue: mpsc::Sender<Packet>,
    ) {
        let mut buffer = [0; PACKET];
        while let Ok(place) = queue.reserve().await {
            let Ok(length) = from.read(&mut buffer).await else { return };
            let arrives = {
                let mut state = self.air.state();
                state.link.send(direction, self.air.clock.now(), length as u64)
            };
            let Some(arrives) = arrives else { return self.signal_lost().await };
            place.send(Packet { arrives, bytes: buffer[..length].to_vec() });
            if length == 0 {
                return;
            }
        }
    }

    /// Writes each packet when it arrives.
    async fn deliver(
        &self,
        direction: Direction,
        mut queue: mpsc::Receiver<Packet>,
        mut to: impl AsyncWrite + Unpin,
    ) -> Result<(), Torn> {
        while let Some(Packet { arrives, bytes }) = queue.recv().await {
            self.air.clock.sleep_until(arrives).await;
            if bytes.is_empty() {
                return to.shutdown().await.map_err(|_| Torn);
            }
            let (passed, cut) = self.air.state().pass(direction, &bytes);
            to.write_all(&bytes[..passed]).await.map_err(|_| Torn)?;
            if cut {
                self.cut.cancel();
                return Err(Torn);
            }
        }
        Err(Torn)
    }

    async fn signal_lost(&self) {
        match self.lost_at {
            Some(at) => self.air.clock.sleep_until(at).await,
            None => std::future::pending().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;
    use std::time::Duration;

    use tokio::io::duplex;

    use super::*;

    fn connection(link: Link) -> Connection {
        connection_to(SocketAddr::from(([127, 0, 0, 1], 0)), link)
    }

    fn connection_to(server: SocketAddr, link: Link) -> Connection {
        let clock = Clock::start(NonZeroU32::MIN);
        let air = Arc::new(Air { clock, server, state: Mutex::new(State::new(link)) });
        Connection { air, opened: 0, lost_at: None, cut: CancellationToken::new() }
    }

    #[tokio::test(start_paused = true)]
    async fn every_packet_arrives_at_the_very_millisecond_the_link_says() {
        for direction in [Direction::Up, Direction::Down] {
            let (connection, mut model) = (connection(Link::umts()), Link::umts());
            let (mut near, reader) = duplex(100 * PACKET);
            let (writer, mut far) = duplex(PACKET);
            let (queue, queued) = packet_queue();
            near.write_all(&[7; 100 * PACKET]).await.unwrap();
            drop(near);
            let read = async {
                for packet in 0..100 {
                    far.read_exact(&mut [0; PACKET]).await.unwrap();
                    let expected = model.send(direction, 0, PACKET as u64).unwrap();
                    assert_eq!(connection.air.clock.now(), expected, "packet {packet}, {direction:?}");
                }
                assert_eq!(far.read(&mut [0]).await.unwrap(), 0);
            };
            let deliver = connection.deliver(direction, queued, writer);
            let ((), delivered, ()) = tokio::join!(connection.book(direction, reader, queue), deliver, read);
            assert!(delivered.is_ok());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_through_the_air_at_a_cut_reaches_a_server_that_notices_nothing_for_a_minute() {
        let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let connection = connection_to(server.local_addr().unwrap(), Link::umts());
        let (to_server, from_phone) = packet_queue();
        let (to_phone, from_server) = packet_queue();
        for arrives in [900, 1_100] {
            to_server.send(Packet { arrives, bytes: vec![7; PACKET] }).await.ok().unwrap();
        }
        let cut = async {
            connection.air.clock.sleep_until(1_000).await;
            connection.cut.cancel();
            drop((to_server, from_server));
        };
        let serve = async {
            let (mut served, _) = server.accept().await.unwrap();
            served.read_exact(&mut [0; 2 * PACKET]).await.unwrap();
            let error = served.read(&mut [0]).await.unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
            assert_eq!(connection.air.clock.now(), 1_100 + HALF_OPEN_MS);
        };
        tokio::join!(connection.server_side(to_phone, from_phone), cut, serve);
    }

    #[tokio::test(start_paused = true)]
    async fn a_sender_whose_receiver_does_not_read_is_slowed_to_a_halt() {
        let connection = connection(Link::umts());
        let (mut near, reader) = duplex(PACKET);
        let (writer, _never_read) = duplex(PACKET);
        let (queue, queued) = packet_queue();
        let mut taken = 0;
        let send = async {
            let hour = Duration::from_secs(3_600);
            while let Ok(written) = tokio::time::timeout(hour, near.write(&[7; PACKET])).await {
                taken += written.unwrap();
                assert!(
                    taken <= 2 * WINDOW * PACKET,
                    "{taken} bytes are held for a receiver that reads none"
                );
            }
        };
        tokio::select! {
            () = connection.book(Direction::Up, reader, queue) => unreachable!("nothing ended"),
            _ = connection.deliver(Direction::Up, queued, writer) => unreachable!("nothing ended"),
            () = send => {}
        }
        // One packet in each pipe, one in the hand of `deliver`, the rest in the window.
        assert_eq!(taken, (256 + 3) * 1_500);
    }
}
