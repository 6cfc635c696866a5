//! The committed OpenAPI description is what the code does.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::Request;
use carboy_protocol::wire::{self, SyncRequest};
use carboy_protocol::*;
use carboy_server::http;
use common::{World, kes, world};
use serde_json::{Value, json};
use std::path::Path;
use tower::ServiceExt;

const COMMITTED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/openapi.json");

#[test]
fn the_committed_description_is_the_one_made_from_the_code() {
    let made = serde_json::to_string_pretty(&http::description()).unwrap() + "\n";
    // To commit what changed: CARBOY_WRITE=1 cargo test -p carboy-server --test description
    if std::env::var_os("CARBOY_WRITE").is_some() {
        std::fs::write(COMMITTED, &made).unwrap();
    }
    let committed = std::fs::read_to_string(Path::new(COMMITTED)).unwrap_or_default();
    assert!(made == committed, "docs/openapi.json is not what the code says: write it anew and look at it");
}

#[tokio::test]
async fn every_route_that_is_described_is_there_and_the_other_way_round() {
    let world = world();
    let routers = [http::router(world.server.clone()), http::status_router(world.server.clone())];
    let description = http::description();
    let paths = description["paths"].as_object().unwrap();
    for (path, operations) in paths {
        for method in operations.as_object().unwrap().keys() {
            let is_there = |router: Router| {
                let path = path.replace("{hash}", &"ab".repeat(32));
                let request = Request::builder().method(method.to_uppercase().as_str()).uri(path);
                async {
                    router
                        .oneshot(request.header(wire::HEADER, "1").body(Body::empty()).unwrap())
                        .await
                        .unwrap()
                }
            };
            let [first, second] = routers.clone().map(is_there);
            let found = [first.await.status().as_u16(), second.await.status().as_u16()];
            assert!(found.iter().any(|status| !matches!(status, 404 | 405)), "{method} {path}: {found:?}");
        }
    }
    let mut described: Vec<_> = paths.keys().map(String::as_str).collect();
    described.sort_unstable();
    let all = [
        "/healthz",
        "/metrics",
        "/openapi.json",
        "/readyz",
        "/v1/enrol",
        "/v1/manage/mutations",
        "/v1/photos/{hash}",
        "/v1/sync",
    ];
    assert_eq!(described, all);
}

/// Checks messages against the description's schemas.
struct Checker {
    document: Value,
}

impl Checker {
    fn errors(&self, schema: &Value, message: &Value) -> Vec<String> {
        let mut whole = schema.clone();
        whole["components"] = self.document["components"].clone();
        let validator = jsonschema::options().should_validate_formats(true).build(&whole).unwrap();
        validator
            .iter_errors(message)
            .map(|error| format!("{} at {}", error, error.instance_path()))
            .collect()
    }

    fn operation(&self, path: &str) -> &Value {
        &self.document["paths"][path]["post"]
    }

    /// Sends `body` and checks both ways; gives the reply.
    async fn exchange(&self, router: &Router, path: &str, token: &str, body: &str, status: u16) -> Value {
        let operation = self.operation(path);
        let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
        let message = serde_json::from_str(body).unwrap();
        assert_eq!(self.errors(schema, &message), Vec::<String>::new(), "request to {path}: {body}");
        let request = Request::post(path)
            .header(wire::HEADER, "1")
            .header("authorization", format!("Bearer {token}"))
            .body(Body::from(body.to_owned()))
            .unwrap();
        let response = router.clone().oneshot(request).await.unwrap();
        let got = response.status().as_u16();
        let reply = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        let reply: Value = serde_json::from_slice(&reply).unwrap();
        assert_eq!(got, status, "{reply:#}");
        let schema = &operation["responses"][status.to_string()]["content"]["application/json"]["schema"];
        assert!(schema.is_object(), "{status} of {path} is not described");
        assert_eq!(self.errors(schema, &reply), Vec::<String>::new(), "reply of {path}: {reply:#}");
        reply
    }
}

/// A customer with all that a feed can say about one.
fn lively(world: &World) {
    let manager = &world.manager;
    world.server.put_product(manager, &"20L".parse().unwrap(), "20 litres", kes(100)).unwrap();
    world.server.put_route(manager, None, "North", &[world.customer]).unwrap();
    world.act(&world.edit(Field::Phone, "0711"));
    world.act(&world.set_balance(0, 50));
}

#[tokio::test]
async fn real_requests_and_replies_are_as_described() {
    let world = world();
    let router = http::router(world.server.clone());
    let checker = Checker { document: http::description() };
    lively(&world);
    let mut phone = world.phone();
    phone.record(Action::StartShift { route: None });
    phone.record(world.delivery(2, 1));
    phone.record(world.edit(Field::Phone, "0722"));
    phone.record(world.cash(-5));
    phone.record_raw(r#"{"v":9,"txn":"01936000-0000-7000-8000-000000000001","kind":"fly"}"#);
    let request = SyncRequest { cursor: 0, ..phone.pending() };
    let sync = |request: &SyncRequest| serde_json::to_string(request).unwrap();
    let reply = checker.exchange(&router, wire::SYNC_PATH, &phone.token, &sync(&request), 200).await;
    let statuses: Vec<_> = reply["results"].as_array().unwrap().iter().map(|one| &one["status"]).collect();
    assert_eq!(statuses, ["applied", "applied", "applied", "rejected", "parked"]);
    let types: std::collections::BTreeSet<_> =
        reply["feed"].as_array().unwrap().iter().map(|item| item["type"].as_str().unwrap()).collect();
    assert_eq!(types, ["customer", "entry", "product", "route"].into());
    checker.exchange(&router, wire::SYNC_PATH, &phone.token, &sync(&request), 200).await;
    checker.exchange(&router, wire::SYNC_PATH, "x", &sync(&request), 401).await;
    let ahead = phone.signed(SyncRequest { first_seq: 9, last_seq: 8, ..phone.request(1, 0) });
    checker.exchange(&router, wire::SYNC_PATH, &phone.token, &sync(&ahead), 409).await;

    let (code, _) = world.server.create_enrol_code(world.plant, world.rider.id).unwrap();
    let enrol =
        json!({"code": code, "device_name": "Pixel", "public_key": DeviceKey::from_seed([1; 32]).public()});
    checker.exchange(&router, wire::ENROL_PATH, "", &enrol.to_string(), 200).await;
    checker.exchange(&router, wire::ENROL_PATH, "", &enrol.to_string(), 401).await;

    let token = world.server.create_token(world.plant, world.manager.id, "script").unwrap();
    let mutation = |minor| {
        let action =
            Action::AdjustBalance { customer: world.customer, amount: kes(minor), reason: "gift".into() };
        let txn = TxnId::from_bytes([3; 16]);
        serde_json::to_string(&Mutation { v: 1, txn, at: Timestamp(5), replaces: None, action }).unwrap()
    };
    let path = "/v1/manage/mutations";
    checker.exchange(&router, path, &token, &mutation(5), 200).await;
    checker.exchange(&router, path, &token, &mutation(6), 422).await;
    checker.exchange(&router, path, &phone.token, &mutation(5), 403).await;
}

#[test]
fn what_is_not_as_described_is_found() {
    let world = world();
    let checker = Checker { document: http::description() };
    let good = serde_json::to_value(world.phone().pending()).unwrap();
    let schema = &checker.operation(wire::SYNC_PATH)["requestBody"]["content"]["application/json"]["schema"];
    assert!(checker.errors(schema, &good).is_empty());
    for (member, bad) in [
        ("actor", json!("nobody")),
        ("first_seq", json!("one")),
        ("head", json!("ab")),
        ("signature", Value::Null),
        ("mutations", json!({})),
        ("cursor", json!(-1)),
    ] {
        let mut message = good.clone();
        message[member] = bad;
        assert!(!checker.errors(schema, &message).is_empty(), "{member}");
    }
}
