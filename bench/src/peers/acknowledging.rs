//! A server that acknowledges what it is sent and keeps nothing: what it costs is reading the request and writing the
//! shortest answer that its sender understands.

use anyhow::Result;
use axum::Router;
use axum::body::Bytes;
use axum::extract::DefaultBodyLimit;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderName, StatusCode};
use axum::response::IntoResponse;
use axum::routing::post;
use carboy_protocol::wire::{self, Answer, Settlement, SyncReply, SyncRequest};
use flate2::read::GzDecoder;
use std::io::Read;
use std::thread::JoinHandle;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

/// What Turso's client takes for: every statement ran and returned no row.
const STATEMENTS_RAN: &str = r#"{"baton":null,"base_url":null,"results":[{"type":"ok","response":{"type":"batch",
    "result":{"step_results":[{"cols":[],"rows":[],"affected_row_count":1,"last_insert_rowid":null}],
    "step_errors":[null],"replication_index":null}}}]}"#;

/// A server on a port of its own, until this is dropped.
pub(super) struct Acknowledging {
    pub(super) address: String,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Acknowledging {
    pub(super) fn start() -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
        let address = format!("http://{}", listener.local_addr()?);
        let router = Router::new()
            .route(wire::SYNC_PATH, post(settled))
            .route("/ack", post(|_: Bytes| async { "{}" }))
            .route("/v2/pipeline", post(statements_ran))
            .layer(DefaultBodyLimit::disable());
        let (stop, stopped) = oneshot::channel::<()>();
        let thread = std::thread::spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    served = axum::serve(listener, router).into_future() => drop(served),
                    _ = stopped => {}
                }
            });
        });
        Ok(Self { address, stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Acknowledging {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            eprintln!("the acknowledging server panicked");
        }
    }
}

async fn statements_ran(_: Bytes) -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json")], STATEMENTS_RAN)
}

/// Says of every mutation that it was applied.
async fn settled(body: Bytes) -> impl IntoResponse {
    match reply(&body) {
        Ok(reply) => Ok(([(HeaderName::from_static(wire::HEADER), wire::VERSION.to_string())], reply)),
        Err(error) => Err((StatusCode::BAD_REQUEST, error.to_string())),
    }
}

fn reply(body: &[u8]) -> Result<Vec<u8>> {
    let mut json = Vec::new();
    GzDecoder::new(body).read_to_end(&mut json)?;
    let request: SyncRequest = serde_json::from_slice(&json)?;
    let last = request.cursor + request.mutations.len() as u64;
    let results = (request.first_seq..).zip(request.cursor + 1..=last);
    let results =
        results.map(|(seq, rev)| Settlement { seq, answer: Answer::Applied { rev }, duplicate: false });
    let (results, feed) = (results.collect(), Vec::new());
    let reply = SyncReply { actor: request.actor, results, feed, cursor: last, more: false, day: None };
    Ok(serde_json::to_vec(&reply)?)
}
