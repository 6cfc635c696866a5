//! Every route that reads a body refuses one that is too large, before it costs much.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use axum::body::Body;
use axum::http::Request;
use carboy_protocol::wire::{self, MAX_BODY, MAX_PIECE};
use carboy_server::http;
use common::world;
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write;
use tower::ServiceExt;

/// Every route with a body: its path, and the most bytes that it reads.
fn routes(source: &str) -> Vec<(String, usize)> {
    let api = [
        (wire::SYNC_PATH.to_owned(), MAX_BODY),
        (wire::ENROL_PATH.to_owned(), MAX_BODY),
        (format!("{}/{}?from=0", wire::PHOTO_PATH, "ab".repeat(32)), MAX_PIECE),
        ("/v1/manage/mutations".to_owned(), MAX_BODY),
    ];
    // A dashboard's route that is added is tried too.
    let posted = source.split(".route(").skip(1).filter(|route| route.contains("post("));
    let path = |route: &str| match route.split_once(',') {
        Some(("language::ADDRESS", _)) => "/language".to_owned(),
        _ => route.split('"').nth(1).unwrap().to_owned(),
    };
    let limit = |path: &str| if path == IMPORT { 4 << 20 } else { 64 * 1024 };
    let dashboard: Vec<_> = posted.map(path).map(|path| (path.clone(), limit(&path))).collect();
    assert!(dashboard.len() >= 5, "{dashboard:?}");
    api.into_iter().chain(dashboard).collect()
}

/// The route that takes a file.
const IMPORT: &str = "/import";

/// A body longer than the limit, and its type.
fn too_long(path: &str, limit: usize) -> (Vec<u8>, &'static str) {
    let letters = vec![b'a'; limit + 1];
    if path != IMPORT {
        return (letters, "application/x-www-form-urlencoded");
    }
    let head = b"--x\r\ncontent-disposition: form-data; name=\"rows\"\r\n\r\n".to_vec();
    ([head, letters, b"\r\n--x--\r\n".to_vec()].concat(), "multipart/form-data; boundary=x")
}

fn gzip(length: usize) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(&vec![b' '; length]).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn every_route_refuses_a_body_that_is_too_large_or_grows_so() {
    let world = world();
    let router = http::router(world.server.clone());
    let session = world.server.sign_in("", "grace@example.com", "clean water").unwrap().unwrap();
    let token = world.server.create_token(world.plant, world.manager.id, "script").unwrap();
    let before = world.dump();
    for (path, limit) in routes(include_str!("../src/http/dashboard/mod.rs")) {
        let path = path.replace("{customer}", &world.customer.to_string()).replace("{form}", "adjust");
        let path = path.replace("/people/adjust", "/people/invite");
        let path = path.replace("{import}", "01936000-0000-7000-8000-000000000001");
        let (plain, kind) = too_long(&path, limit);
        for (what, body, encoding) in [("plain", plain, None), ("bomb", gzip(50 << 20), Some("gzip"))] {
            let mut request = Request::post(&path)
                .header(wire::HEADER, "1")
                .header("authorization", format!("Bearer {token}"))
                .header("content-type", kind)
                .header("cookie", format!("carboy_session={session}; carboy_form={session}"));
            if let Some(encoding) = encoding {
                request = request.header("content-encoding", encoding);
            }
            let response = router.clone().oneshot(request.body(Body::from(body)).unwrap()).await.unwrap();
            let status = response.status().as_u16();
            // What takes nothing compressed says so, or takes it as it stands for no form of ours.
            let is_plain = encoding.is_none() || path == wire::SYNC_PATH || path == "/v1/manage/mutations";
            let wanted = if is_plain { &[413][..] } else { &[400, 403, 413, 415] };
            assert!(wanted.contains(&status), "{what} to {path}: {status}");
        }
    }
    assert_eq!(world.dump(), before);
}
