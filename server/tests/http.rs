//! What a client sees on the network: typed refusals, limits, and nothing half-written.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, Response, StatusCode};
use carboy_protocol::wire::{EnrolReply, MAX_BATCH, MAX_BODY, Refusal, SyncReply};
use carboy_protocol::*;
use carboy_server::{CODE_SPAN, http};
use common::{Phone, World, kes, world};
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use std::io::{Read, Write};
use tower::ServiceExt;

struct Answer {
    response: Response<()>,
    body: Vec<u8>,
}

impl Answer {
    fn refusal(&self) -> (u16, Refusal) {
        (self.response.status().as_u16(), serde_json::from_slice(&self.body).unwrap())
    }

    fn json(&self) -> Value {
        assert_eq!(self.response.status(), StatusCode::OK, "{}", String::from_utf8_lossy(&self.body));
        serde_json::from_slice(&self.body).unwrap()
    }
}

async fn send(router: &Router, request: Request<Body>) -> Answer {
    let (parts, body) = router.clone().oneshot(request).await.unwrap().into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap().to_vec();
    assert_eq!(parts.headers.get(wire::HEADER).map(|v| v.to_str().unwrap()), Some("1"), "on every reply");
    Answer { response: Response::from_parts(parts, ()), body }
}

fn post(path: &str, token: &str, body: impl Into<Body>) -> Request<Body> {
    Request::post(path)
        .header(wire::HEADER, "1")
        .header("authorization", format!("Bearer {token}"))
        .body(body.into())
        .unwrap()
}

fn with_header(mut request: Request<Body>, name: &'static str, value: &str) -> Request<Body> {
    request.headers_mut().insert(name, value.parse().unwrap());
    request
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn with_one_payment(world: &World) -> (Phone, String) {
    let mut phone = world.phone();
    phone.record(world.cash(700));
    let body = serde_json::to_string(&phone.pending()).unwrap();
    (phone, body)
}

#[tokio::test]
async fn a_request_and_its_reply_travel_compressed() {
    let world = world();
    let router = http::router(world.server.clone());
    let (phone, body) = with_one_payment(&world);
    let request = post(wire::SYNC_PATH, &phone.token, gzip(body.as_bytes()));
    let request = with_header(request, "content-encoding", "gzip");
    let answer = send(&router, with_header(request, "accept-encoding", "gzip")).await;
    assert_eq!(answer.response.headers()["content-encoding"], "gzip");
    let mut text = String::new();
    GzDecoder::new(&answer.body[..]).read_to_string(&mut text).unwrap();
    let reply: SyncReply = serde_json::from_str(&text).unwrap();
    assert_eq!((reply.actor, reply.results.len()), (phone.actor, 1));
    assert_eq!(world.ledger(), [-700]);
}

#[tokio::test]
async fn what_is_no_good_request_is_refused_by_type_and_changes_nothing() {
    let world = world();
    let router = http::router(world.server.clone());
    let (phone, body) = with_one_payment(&world);
    let sync = |body: Body| post(wire::SYNC_PATH, &phone.token, body);
    let gzipped = |body: Vec<u8>| with_header(sync(body.into()), "content-encoding", "gzip");
    // Cut at its end: only who goes on behind the limit meets that.
    let mut bomb = gzip(&vec![b' '; 50 << 20]);
    bomb.truncate(bomb.len() - 8);
    // Valid blocks of nothing: they decompress to no byte at all, however many there are.
    let nothing: Vec<u8> = gzip(b"").into_iter().cycle().take(5 * 1024 * 1024).collect();
    let no_version = Request::post(wire::SYNC_PATH).body(Body::from(body.clone())).unwrap();
    let too_many = MAX_BATCH + 1;
    let many = json!({"actor": phone.actor, "first_seq": 1, "last_seq": too_many, "cursor": 0,
        "head": phone.hash(0), "signature": phone.pending().signature, "mutations": vec![1; too_many]});
    let before = world.dump();
    let size = MAX_BODY as u64;
    for (name, request, status, refusal) in [
        ("5 MB", sync(vec![b' '; 5 * 1024 * 1024].into()), 413, Refusal::TooLarge { limit: size }),
        ("bomb", gzipped(bomb), 413, Refusal::TooLarge { limit: size }),
        ("endless nothing", gzipped(nothing), 413, Refusal::TooLarge { limit: size }),
        ("batch", sync(many.to_string().into()), 413, Refusal::TooLarge { limit: MAX_BATCH as u64 }),
        ("json", sync("{".into()), 400, Refusal::Malformed { detail: String::new() }),
        ("no json", sync(vec![0xff, 0xfe].into()), 400, Refusal::Malformed { detail: String::new() }),
        ("no gzip", gzipped(b"plain".to_vec()), 400, Refusal::Malformed { detail: String::new() }),
        (
            "cut gzip",
            gzipped(gzip(body.as_bytes())[..40].to_vec()),
            400,
            Refusal::Malformed { detail: String::new() },
        ),
        (
            "encoding",
            with_header(sync(body.clone().into()), "content-encoding", "zip"),
            415,
            Refusal::Malformed { detail: String::new() },
        ),
        ("no version", no_version, 400, Refusal::Malformed { detail: String::new() }),
        (
            "version",
            with_header(sync(body.clone().into()), wire::HEADER, "2"),
            426,
            Refusal::Upgrade { supported: vec![1] },
        ),
    ] {
        let (got_status, mut got) = send(&router, request).await.refusal();
        if let Refusal::Malformed { detail } = &mut got {
            assert!(!detail.is_empty(), "{name}");
            detail.clear();
        }
        assert_eq!((got_status, got), (status, refusal), "{name}");
    }
    assert_eq!(world.dump(), before);
    send(&router, sync(body.into())).await.json();
    assert_eq!(world.ledger(), [-700]);
}

#[tokio::test]
async fn a_token_that_is_missing_wrong_or_revoked_is_refused_and_changes_nothing() {
    let world = world();
    let router = http::router(world.server.clone());
    let (phone, body) = with_one_payment(&world);
    let other = world.phone();
    world.server.revoke_device(world.plant, other.auth.device).unwrap();
    let before = world.dump();
    let mut without = post(wire::SYNC_PATH, "", body.clone());
    without.headers_mut().remove("authorization");
    let mut wrong = phone.token.clone();
    wrong.replace_range(40..41, if &wrong[40..41] == "A" { "B" } else { "A" });
    let requests = [
        without,
        post(wire::SYNC_PATH, "", body.clone()),
        post(wire::SYNC_PATH, &wrong, body.clone()),
        post(wire::SYNC_PATH, &other.token, body.clone()),
        with_header(post(wire::SYNC_PATH, "", body), "authorization", "Basic eDp5"),
    ];
    for request in requests {
        let (status, refusal) = send(&router, request).await.refusal();
        assert!(matches!((status, &refusal), (401, Refusal::SignIn { .. })), "{status} {refusal:?}");
    }
    assert_eq!(world.dump(), before);
}

#[tokio::test]
async fn an_unknown_route_or_method_is_answered_in_the_protocols_form() {
    let world = world();
    let router = http::router(world.server.clone());
    for (request, status) in [(post("/v1/nothing", "", ""), 404), (post(wire::SYNC_PATH, "", ""), 405)] {
        let mut request = request;
        if status == 405 {
            *request.method_mut() = axum::http::Method::GET;
        }
        let (got, refusal) = send(&router, request).await.refusal();
        assert!(matches!(refusal, Refusal::Malformed { .. }));
        assert_eq!(got, status);
    }
    let outside = Request::get("/nothing").body(Body::empty()).unwrap();
    assert_eq!(send(&router, outside).await.response.status(), StatusCode::NOT_FOUND);
}

fn enrolment(code: &str) -> Request<Body> {
    let body =
        json!({"code": code, "device_name": "Pixel", "public_key": DeviceKey::from_seed([1; 32]).public()})
            .to_string();
    Request::post(wire::ENROL_PATH).header(wire::HEADER, "1").body(body.into()).unwrap()
}

#[tokio::test]
async fn an_enrolment_code_works_once_within_a_quarter_of_an_hour() {
    let world = world();
    let router = http::router(world.server.clone());
    let code = || world.server.create_enrol_code(world.plant, world.rider.id).unwrap().0;
    let good = code();
    let reply = send(&router, enrolment(&good.to_lowercase().replace('-', " "))).await.json();
    let reply: EnrolReply = serde_json::from_value(reply).unwrap();
    assert_eq!((reply.account, reply.plant), (world.rider.id, world.plant));
    assert_eq!(world.server.authenticate(&reply.token).unwrap().account, world.rider);
    let late = code();
    world.clock.advance(CODE_SPAN);
    for (code, why) in [(&good, "used"), (&late, "expired"), (&"0000-0000".to_owned(), "unknown")] {
        let (status, refusal) = send(&router, enrolment(code)).await.refusal();
        assert!(matches!(&refusal, Refusal::SignIn { detail } if detail.contains(why)), "{refusal:?}");
        assert_eq!(status, 401);
    }
    let stored = format!("{:?}", world.dump());
    assert!(!stored.contains(&reply.token) && !stored.contains(&good), "only hashes are stored");
}

#[tokio::test]
async fn guessing_codes_is_stopped_for_a_minute() {
    let world = world();
    let router = http::router(world.server.clone());
    for _ in 0..10 {
        assert_eq!(send(&router, enrolment("0000-0000")).await.refusal().0, 401);
    }
    let (good, _) = world.server.create_enrol_code(world.plant, world.rider.id).unwrap();
    let answer = send(&router, enrolment(&good)).await;
    assert_eq!(answer.refusal(), (429, Refusal::Busy));
    assert!(answer.response.headers().contains_key("retry-after"));
    world.clock.advance(60_000);
    send(&router, enrolment(&good)).await.json();
}

#[tokio::test]
async fn a_managers_script_has_its_mutations_applied_once() {
    let world = world();
    let router = http::router(world.server.clone());
    let token = world.server.create_token(world.plant, world.manager.id, "script").unwrap();
    let mutation = |minor: i64| {
        json!({"v": 1, "txn": TxnId::from_bytes([3; 16]), "at": 5, "kind": "adjust_balance",
            "customer": world.customer, "amount": kes(minor), "reason": "a gift"})
        .to_string()
    };
    let path = "/v1/manage/mutations";
    let first = send(&router, post(path, &token, mutation(-50))).await.json();
    let second = send(&router, post(path, &token, mutation(-50))).await.json();
    assert_eq!((&first["status"], &first["duplicate"]), (&json!("applied"), &json!(false)));
    assert_eq!((&second["rev"], &second["duplicate"]), (&first["rev"], &json!(true)));
    let before = world.dump();
    assert_eq!(send(&router, post(path, &token, mutation(-51))).await.refusal().0, 422);
    assert_eq!(send(&router, post(path, &token, "{}")).await.refusal().0, 400);
    let rider = world.phone();
    let (status, _) = send(&router, post(path, &rider.token, mutation(-52))).await.refusal();
    assert_eq!(status, 403);
    assert_eq!(world.ledger(), [-50]);
    assert!(before.iter().all(|row| world.dump().contains(row)));
}

#[tokio::test]
async fn phones_that_sync_at_once_are_all_settled() {
    let world = world();
    let router = http::router(world.server.clone());
    let requests = (0..8).map(|_| {
        let (phone, body) = with_one_payment(&world);
        let router = router.clone();
        tokio::spawn(async move { send(&router, post(wire::SYNC_PATH, &phone.token, body)).await.json() })
    });
    for request in requests.collect::<Vec<_>>() {
        assert_eq!(request.await.unwrap()["results"][0]["status"], "applied");
    }
    assert_eq!(world.balance(), -5_600);
}
