//! Whatever goes wrong at whatever step of a drain, the outbox empties by itself once the link is well again: without
//! a restart and without a tap.
#![allow(clippy::unwrap_used, reason = "a helper that fails fails its test")]

mod world;

use carboy_core::{HttpTransport, LinkError, Reply, SyncState, Transport};
use carboy_protocol::{FailReason, Field, Progress, TxnId};
use std::collections::HashSet;
use world::*;

/// What goes wrong with one exchange.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fault {
    /// The request never arrives.
    Cut,
    /// The request arrives, its reply does not.
    ReplyLost,
    /// Half of the reply arrives.
    Truncated,
    /// A supermarket's Wi-Fi answers with its login page.
    Portal,
    /// The token has expired.
    Expired,
    TooLarge,
    Busy,
    Failed,
    Unavailable,
    /// The certificate does not fit.
    Tls,
}

const FAULTS: [Fault; 10] = [
    Fault::Cut,
    Fault::ReplyLost,
    Fault::Truncated,
    Fault::Portal,
    Fault::Expired,
    Fault::TooLarge,
    Fault::Busy,
    Fault::Failed,
    Fault::Unavailable,
    Fault::Tls,
];

impl Fault {
    fn strike(self, serve: impl FnOnce() -> Reply) -> Result<Reply, LinkError> {
        let status = |status: u16, retry_after, body: &str| {
            Ok(Reply { status, protocol: Some("1".into()), retry_after, gzip: false, body: body.into() })
        };
        match self {
            Self::Cut => Err(LinkError("no route to host".into())),
            Self::Tls => Err(LinkError("invalid peer certificate: UnknownIssuer".into())),
            Self::ReplyLost => {
                serve();
                Err(LinkError("connection reset".into()))
            }
            Self::Truncated => {
                let mut reply = serve();
                reply.body.truncate(reply.body.len() / 2);
                Ok(reply)
            }
            Self::Portal => Ok(Reply {
                status: 200,
                body: b"<html>Welcome to FreeWiFi</html>".to_vec(),
                ..Reply::default()
            }),
            Self::Expired => status(401, None, r#"{"error":"sign_in","detail":"expired"}"#),
            Self::TooLarge => status(413, None, ""),
            Self::Busy => status(429, Some(90), r#"{"error":"busy"}"#),
            Self::Failed => status(500, None, r#"{"error":"internal"}"#),
            Self::Unavailable => status(503, Some(7), r#"{"error":"busy"}"#),
        }
    }
}

/// One of most things that a rider does, the last with a photo of two pieces.
fn work(phone: &Phone<'_>) -> Vec<TxnId> {
    let (engine, customers) = (&phone.engine, &phone.world.customers);
    let picture = phone.world.place("camera.jpg");
    // Each time another picture.
    let pending = phone.world.surroundings.now().to_be_bytes();
    std::fs::write(&picture, [vec![7; 60_000], pending.to_vec()].concat()).unwrap();
    vec![
        engine.start_shift(None).unwrap().txn,
        engine.load_stock(&[stock(20)]).unwrap().txn,
        engine.note_progress(customers[0], Progress::Arrived).unwrap().txn,
        phone.collect(customers[0], 700),
        engine.update_profile(customers[1], [(Field::Note, "back door".into())].into()).unwrap().txn,
        engine.fail_delivery(customers[2], FailReason::Absent, None).unwrap().txn,
        engine.hand_in_cash(kes(100), None).unwrap().txn,
        engine.finish_shift().unwrap().txn,
        engine.confirm_delivery(customers[3], &[bottles(2, 1)], None, &[&picture]).unwrap().txn,
    ]
}

/// Drains with `fault` at exchange number `at` from 0 on, `times` in a row. Returns how many exchanges there were.
fn drain(phone: &mut Phone<'_>, fault: Fault, at: usize, times: usize) -> usize {
    let mut exchanges = 0;
    phone.drive(|phone, exchange| {
        let number = exchanges;
        exchanges += 1;
        if (at..at + times).contains(&number) {
            fault.strike(|| phone.serve(&exchange))
        } else {
            Ok(phone.serve(&exchange))
        }
    });
    exchanges
}

#[test]
fn every_fault_at_every_step_of_a_drain_heals_by_itself() {
    let world = World::new();
    let mut phone = world.phone("rider");
    phone.sync();
    let mut recorded = HashSet::new();
    for fault in FAULTS {
        for at in 0..4 {
            // A second 401 in a row is a person's business, and has a test of its own.
            let times = if fault == Fault::Expired { 1 } else { 1 + at % 2 };
            world.surroundings.set(world.surroundings.now() + 1_000);
            recorded.extend(work(&phone));
            let before = world.surroundings.now();
            let exchanges = drain(&mut phone, fault, at, times);
            let status = phone.engine.status().unwrap();
            assert_eq!(
                (status.state, status.pending, status.photos, status.attention),
                (SyncState::Idle, 0, 0, 0),
                "{fault:?} at exchange {at} of {exchanges}"
            );
            let waited = world.surroundings.now() - before;
            if fault == Fault::Busy && at < exchanges - times {
                assert!(waited >= 90_000, "waited {waited} ms at exchange {at} of {exchanges}");
            }
        }
    }
    let settled = world.settled();
    for txn in recorded {
        assert_eq!(settled.get(&txn), Some(&(1, "applied".to_owned())), "{txn}");
    }
    let photos: (i64, i64) = world
        .database()
        .query_row("SELECT count(*), sum(complete) FROM photos", [], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap();
    assert_eq!(photos, (40, 40));
    assert_eq!(phone.shown(), world.fresh_view("fresh").shown());
}

#[test]
fn a_token_refused_twice_waits_for_a_sign_in_and_then_everything_goes() {
    let world = World::new();
    let mut phone = world.phone("rider");
    phone.sync();
    work(&phone);
    drain(&mut phone, Fault::Expired, 0, 2);
    assert_eq!(phone.state(), SyncState::NeedsSignIn);
    work(&phone);
    phone.token = world.enrol(&phone.keys, "the same phone");
    phone.drainer.wake(carboy_core::Wake::SignedIn);
    drain(&mut phone, Fault::Cut, 99, 0);
    assert_eq!((phone.state(), phone.pending()), (SyncState::Idle, 0));
}

#[tokio::test]
async fn a_server_whose_tls_does_not_fit_is_a_link_without_reply() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let portal = tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        tokio::io::AsyncWriteExt::write_all(&mut socket, b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
    });
    let transport = HttpTransport::new(&format!("https://{address}")).unwrap();
    let exchange = carboy_core::Exchange {
        path: "/v1/sync".into(),
        token: None,
        body: carboy_core::Body::Json(Vec::new()),
        timeout: std::time::Duration::from_secs(10),
    };
    let failed = transport.exchange(exchange).await;
    assert!(failed.is_err(), "{failed:?}");
    portal.await.unwrap();
}
