//! What machines that watch a server see.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::Request;
use carboy_protocol::wire::{self, Refusal};
use carboy_server::http;
use common::{World, world};
use tower::ServiceExt;

async fn get(router: &Router, path: &str) -> (u16, String) {
    let request = Request::get(path).body(Body::empty()).unwrap();
    let response = router.clone().oneshot(request).await.unwrap();
    let status = response.status().as_u16();
    (status, String::from_utf8(to_bytes(response.into_body(), usize::MAX).await.unwrap().to_vec()).unwrap())
}

async fn post(router: &Router, path: &str, token: &str, body: String) -> u16 {
    let request =
        Request::post(path).header(wire::HEADER, "1").header("authorization", format!("Bearer {token}"));
    router.clone().oneshot(request.body(Body::from(body)).unwrap()).await.unwrap().status().as_u16()
}

/// The lines of the metrics that begin with `name`.
async fn metrics(world: &World, name: &str) -> Vec<String> {
    let (status, text) = get(&http::status_router(world.server.clone()), "/metrics").await;
    assert_eq!(status, 200);
    assert!(text.ends_with("# EOF\n"));
    text.lines().filter(|line| line.starts_with(name)).map(str::to_owned).collect()
}

#[tokio::test]
async fn a_server_is_ready_until_it_is_asked_to_end_or_its_store_fails() {
    let world = world();
    let router = http::router(world.server.clone());
    assert_eq!(get(&router, "/readyz").await, (200, "ready\n".to_owned()));
    let conn = rusqlite::Connection::open(world.folder.path().join("carboy.db")).unwrap();
    conn.execute_batch("ALTER TABLE plants RENAME TO gone").unwrap();
    assert_eq!(get(&router, "/readyz").await, (503, "the store does not answer\n".to_owned()));
    assert_eq!(get(&router, "/healthz").await, (200, "up\n".to_owned()));
    conn.execute_batch("ALTER TABLE gone RENAME TO plants").unwrap();
    assert_eq!(get(&router, "/readyz").await.0, 200);
    world.server.shutdown_token().cancel();
    assert_eq!(get(&router, "/readyz").await, (503, "about to end\n".to_owned()));
    assert_eq!(get(&router, "/healthz").await.0, 200);
}

#[tokio::test]
async fn metrics_are_not_on_the_address_for_phones_and_browsers() {
    let world = world();
    assert_eq!(get(&http::router(world.server.clone()), "/metrics").await.0, 404);
}

#[tokio::test]
async fn mutations_are_counted_by_kind_and_outcome_and_syncs_by_refusal() {
    let world = world();
    let router = http::router(world.server.clone());
    let mut phone = world.phone();
    phone.record(world.cash(5));
    phone.record(world.cash(-5));
    phone.record_raw(r#"{"v":9,"txn":"01936000-0000-7000-8000-000000000001","kind":"fly"}"#);
    let body = serde_json::to_string(&phone.pending()).unwrap();
    for _ in 0..2 {
        assert_eq!(post(&router, wire::SYNC_PATH, &phone.token, body.clone()).await, 200);
    }
    let ahead = carboy_protocol::wire::SyncRequest { first_seq: 9, last_seq: 8, ..phone.request(1, 0) };
    let ahead = carboy_protocol::wire::SyncRequest {
        signature: phone.key.sign_head(phone.actor, 8, ahead.head),
        ..ahead
    };
    assert!(matches!(world.server.handle_sync(&phone.auth, &ahead), Err(Refusal::Gap { expected: 4 })));
    assert_eq!(post(&router, wire::SYNC_PATH, "x", body).await, 401);
    let counted = metrics(&world, "carboy_mutations_total").await;
    for line in [
        r#"{kind="add_customer",outcome="applied"} 1"#,
        r#"{kind="collect_cash",outcome="applied"} 1"#,
        r#"{kind="collect_cash",outcome="rejected"} 1"#,
        r#"{kind="collect_cash",outcome="duplicate"} 2"#,
        r#"{kind="unknown",outcome="parked"} 1"#,
        r#"{kind="unknown",outcome="duplicate"} 1"#,
    ] {
        assert!(counted.contains(&format!("carboy_mutations_total{line}")), "{line} in {counted:#?}");
    }
    assert_eq!(
        metrics(&world, "carboy_sync_refusals_total").await,
        [r#"carboy_sync_refusals_total{type="gap"} 1"#]
    );
    assert_eq!(
        metrics(&world, "carboy_failed_sign_ins_total").await,
        [r#"carboy_failed_sign_ins_total{type="token"} 1"#]
    );
    assert_eq!(metrics(&world, "carboy_batch_mutations_count").await, ["carboy_batch_mutations_count 2"]);
    let served = metrics(&world, "carboy_http_requests_total").await;
    let line = r#"carboy_http_requests_total{method="POST",route="/v1/sync",status="200"} 2"#;
    assert!(served.contains(&line.to_owned()), "{served:#?}");
}

#[tokio::test]
async fn no_client_puts_a_word_of_its_own_into_a_label() {
    let world = world();
    let router = http::router(world.server.clone());
    for n in 0..20 {
        get(&router, &format!("/secret-{n}")).await;
        get(&router, &format!("/customers/secret-{n}")).await;
        let request = Request::builder().method(format!("SECRET{n}").as_str()).uri("/").body(Body::empty());
        router.clone().oneshot(request.unwrap()).await.unwrap();
    }
    let all = metrics(&world, "").await;
    assert!(!all.iter().any(|line| line.to_lowercase().contains("secret")), "{all:#?}");
    assert!(all.len() < 150, "{all:#?}");
}
