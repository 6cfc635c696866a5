//! The proxy between real sockets, and before a real HTTP server, in virtual time.

#![allow(clippy::unwrap_used, reason = "a helper that fails fails its test")]

use std::future::Future;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::routing::post;
use carboy_sim::clock::{Clock, Ms};
use carboy_sim::link::Direction::{Down, Up};
use carboy_sim::link::Link;
use carboy_sim::proxy::{Counts, Proxy};
use carboy_sim::trace::Trace;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Runs to the end while virtual time passes 1 ms at a time, with a look at every socket in between. A paused runtime
/// would by itself leap to the next timer before a socket had its say; a blocking task keeps it from leaping.
///
/// On a busy machine thousands of steps may go by before the system has carried a byte from socket to socket: what a
/// test expects must not depend on how many.
async fn in_steps<T>(future: impl Future<Output = T>) -> T {
    let (hold, held) = std::sync::mpsc::channel::<()>();
    let holding = tokio::task::spawn_blocking(move || held.recv().unwrap_err());
    tokio::pin!(future);
    let mut steps = 0;
    let output = loop {
        tokio::select! {
            biased;
            output = &mut future => break output,
            () = tokio::time::advance(Duration::from_millis(1)) => steps += 1,
        }
        assert!(steps < 5_000_000, "still waiting after {steps} virtual ms");
    };
    drop(hold);
    holding.await.unwrap();
    output
}

/// Lets virtual time pass a second at a time.
async fn leap(clock: Clock, to: Ms) {
    while clock.now() < to {
        tokio::time::advance(Duration::from_secs(1)).await;
    }
}

/// When signal goes; too late to be reached 1 ms at a time.
const LOST: Ms = 10_000_000;
const BACK: Ms = 20_000_000;

/// A hundred bytes per ms each way, 20 ms round trip.
fn link() -> Link {
    let trace = Trace::parse("0,10000").unwrap();
    Link::new(trace.clone(), trace).with_rtt(20).with_outage(LOST..BACK).unwrap()
}

async fn proxy_to(server: &TcpListener) -> (Proxy, Clock) {
    let clock = Clock::start(NonZeroU32::MIN);
    (Proxy::start(link(), clock, server.local_addr().unwrap()).await.unwrap(), clock)
}

async fn listener() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").await.unwrap()
}

/// A phone's and a server's end of one connection, over which a byte has gone each way.
async fn connected(proxy: &Proxy, server: &TcpListener) -> (TcpStream, TcpStream) {
    let mut phone = TcpStream::connect(proxy.address()).await.unwrap();
    let (mut served, _) = server.accept().await.unwrap();
    phone.write_all(b"?").await.unwrap();
    assert_eq!(served.read_u8().await.unwrap(), b'?');
    served.write_all(b"!").await.unwrap();
    assert_eq!(phone.read_u8().await.unwrap(), b'!');
    (phone, served)
}

/// How many bytes come until the reset; an orderly end fails.
async fn read_until_reset(stream: &mut TcpStream) -> usize {
    let mut bytes = 0;
    loop {
        match stream.read(&mut [0; 4_096]).await {
            Ok(0) => panic!("an orderly end after {bytes} bytes"),
            Ok(more) => bytes += more,
            Err(error) => {
                assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset, "after {bytes} bytes");
                return bytes;
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn an_outage_cuts_open_connections_and_refuses_new_ones_until_it_is_over() {
    in_steps(async {
        let server = listener().await;
        let (proxy, clock) = proxy_to(&server).await;
        let (mut phone, _served) = connected(&proxy, &server).await;
        assert!(clock.now() >= 20 + 10 + 10, "handshake, there and back took {} ms", clock.now());
        leap(clock, LOST).await;
        assert_eq!(read_until_reset(&mut phone).await, 0);

        let mut hopeless = TcpStream::connect(proxy.address()).await.unwrap();
        assert_eq!(read_until_reset(&mut hopeless).await, 0);
        leap(clock, BACK).await;
        connected(&proxy, &server).await;
        let counts = Counts { connections: 2, refused: 1, cuts: 1, up_bytes: 2, down_bytes: 2 };
        assert_eq!(proxy.stop().await.unwrap(), counts);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn with_more_queued_than_can_pass_the_phone_is_cut_when_signal_goes_and_not_before() {
    in_steps(async {
        let server = listener().await;
        let byte_per_100_ms = Trace::parse("0,1").unwrap();
        let slow = Link::new(byte_per_100_ms.clone(), byte_per_100_ms).with_outage(LOST..BACK).unwrap();
        let clock = Clock::start(NonZeroU32::MIN);
        let proxy = Proxy::start(slow, clock, server.local_addr().unwrap()).await.unwrap();
        let (mut phone, mut served) = connected(&proxy, &server).await;
        phone.write_all(&[7; 150_000]).await.unwrap();
        served.write_all(&[7; 150_000]).await.unwrap();
        let down = async {
            let down = read_until_reset(&mut phone).await;
            assert!(clock.now() >= LOST, "cut at {} ms", clock.now());
            down
        };
        let (up, down, ()) = tokio::join!(read_until_reset(&mut served), down, leap(clock, BACK));
        // By then 100 kB can pass each way; a few less are packets, because nobody started at 0.
        for received in [up, down] {
            assert!((90_000..=100_000).contains(&received), "{received} bytes");
            assert_eq!(received % 1_500, 0, "{received} bytes");
        }
        assert_eq!(proxy.counts().cuts, 1);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_cut_can_be_set_to_any_byte_of_either_direction() {
    in_steps(async {
        let server = listener().await;
        let (proxy, _clock) = proxy_to(&server).await;
        for bytes in [0, 1, 1_500, 1_501, 4_000] {
            let (mut phone, mut served) = connected(&proxy, &server).await;
            proxy.cut_after(Up, bytes);
            phone.write_all(&[7; 4_000]).await.unwrap();
            assert_eq!(read_until_reset(&mut phone).await, 0);
            served.read_exact(&mut vec![0; usize::try_from(bytes).unwrap()]).await.unwrap();

            let (mut phone, mut served) = connected(&proxy, &server).await;
            proxy.cut_after(Down, bytes);
            served.write_all(&[7; 4_000]).await.unwrap();
            assert_eq!(read_until_reset(&mut phone).await as u64, bytes);
        }
        let sum = 7_002 + 10;
        let counts = Counts { connections: 10, refused: 0, cuts: 10, up_bytes: sum, down_bytes: sum };
        assert_eq!(proxy.stop().await.unwrap(), counts);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn an_orderly_end_passes_as_one_and_a_reset_as_a_reset() {
    in_steps(async {
        let server = listener().await;
        let (proxy, _clock) = proxy_to(&server).await;
        let (mut phone, mut served) = connected(&proxy, &server).await;
        phone.shutdown().await.unwrap();
        assert_eq!(served.read(&mut [0]).await.unwrap(), 0);
        served.write_all(b"the rest").await.unwrap();
        drop(served);
        let mut rest = String::new();
        phone.read_to_string(&mut rest).await.unwrap();
        assert_eq!(rest, "the rest");

        let (phone, mut served) = connected(&proxy, &server).await;
        phone.set_zero_linger().unwrap();
        drop(phone);
        assert_eq!(read_until_reset(&mut served).await, 0);

        let (mut phone, served) = connected(&proxy, &server).await;
        served.set_zero_linger().unwrap();
        drop(served);
        assert_eq!(read_until_reset(&mut phone).await, 0);

        assert_eq!(proxy.stop().await.unwrap().cuts, 0);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_phone_is_reset_when_no_server_listens() {
    in_steps(async {
        // Port 1 is handed to nobody who asks for a free one.
        let nobody = SocketAddr::from(([127, 0, 0, 1], 1));
        let proxy = Proxy::start(link(), Clock::start(NonZeroU32::MIN), nobody).await.unwrap();
        let mut phone = TcpStream::connect(proxy.address()).await.unwrap();
        assert_eq!(read_until_reset(&mut phone).await, 0);
        assert_eq!(proxy.stop().await.unwrap(), Counts { connections: 1, ..Counts::default() });
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_stopped_proxy_has_closed_its_connections_and_its_door() {
    in_steps(async {
        let server = listener().await;
        let (proxy, _clock) = proxy_to(&server).await;
        let (mut phone, mut served) = connected(&proxy, &server).await;
        let door = proxy.address();
        proxy.stop().await.unwrap();
        assert_eq!(phone.read(&mut [0]).await.unwrap(), 0);
        assert_eq!(served.read(&mut [0]).await.unwrap(), 0);
        assert!(TcpStream::connect(door).await.is_err());
    })
    .await;
}

/// A request by hand: a client library's own timeouts would run out in the steps that a busy machine takes.
async fn post_to(proxy: &Proxy, body: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(proxy.address()).await?;
    let head =
        format!("POST / HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", body.len());
    stream.write_all(&[head.as_bytes(), body].concat()).await?;
    let mut reply = Vec::new();
    stream.read_to_end(&mut reply).await?;
    Ok(reply)
}

#[tokio::test(start_paused = true)]
async fn an_http_reply_lost_on_the_way_leaves_a_request_that_was_handled() {
    in_steps(async {
        let handled = Arc::new(AtomicUsize::new(0));
        let seen = Arc::clone(&handled);
        let echo = move |body: Bytes| async move {
            seen.fetch_add(1, Ordering::SeqCst);
            body
        };
        let server = listener().await;
        let (proxy, clock) = proxy_to(&server).await;
        tokio::spawn(axum::serve(server, Router::new().route("/", post(echo))).into_future());
        let body: Vec<u8> = (0..=255).cycle().take(30_000).collect();

        proxy.cut_after(Down, 0);
        post_to(&proxy, &body).await.unwrap_err();
        assert_eq!((handled.load(Ordering::SeqCst), proxy.counts().down_bytes), (1, 0));

        let before = clock.now();
        let reply = post_to(&proxy, &body).await.unwrap();
        let took = clock.now() - before;
        assert!(reply.starts_with(b"HTTP/1.1 200 OK\r\n"), "{}", reply.escape_ascii());
        assert!(reply.ends_with(&body), "{} bytes of reply", reply.len());
        assert_eq!(handled.load(Ordering::SeqCst), 2);
        assert!(took >= 20 + 2 * (10 + 300), "handshake, 30 kB there and 30 kB back took {took} ms");
        proxy.stop().await.unwrap();
    })
    .await;
}
