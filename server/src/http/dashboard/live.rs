//! Server-sent events: an open page is told that something changed in its plant, and fetches itself again.

use super::Manager;
use crate::Server;
use crate::http::blocking;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderName, header};
use axum::response::IntoResponse;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::stream;
use serde::Deserialize;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, Interval, interval_at};

/// The script's address.
pub(super) const SCRIPT: &str = "/live.js";

/// How often an open stream looks whether its session is still open, beside whenever something changed.
const CHECK: Duration = Duration::from_secs(10);

#[derive(Debug, Default, Deserialize)]
pub(super) struct Wanted {
    /// The last change that the page shows.
    #[serde(default)]
    seen: u64,
}

/// A stream that is open: one browser's.
struct Stream {
    server: Arc<Server>,
    session: String,
    changes: watch::Receiver<u64>,
    check: Interval,
    /// The last change that the browser was told of.
    told: u64,
}

/// Tells of changes until the session ends or the server stops.
pub(super) async fn events(
    State(server): State<Arc<Server>>,
    manager: Manager,
    Query(wanted): Query<Wanted>,
    headers: HeaderMap,
) -> impl IntoResponse {
    // A browser that lost the stream says how far it was told.
    let last = headers.get("last-event-id").and_then(|id| id.to_str().ok()?.parse().ok());
    let changes = server.watch(manager.plant.id);
    let check = interval_at(Instant::now() + CHECK, CHECK);
    let told = last.unwrap_or(wanted.seen);
    let stream = Stream { server, session: manager.session, changes, check, told };
    let events = stream::unfold(stream, |mut stream| async {
        let event = stream.next().await?;
        Some((Ok::<_, Infallible>(event), stream))
    });
    // A proxy that gathers what it passes on would tell late.
    let at_once: [(HeaderName, &str); 1] = [(HeaderName::from_static("x-accel-buffering"), "no")];
    (at_once, Sse::new(events).keep_alive(KeepAlive::default()))
}

impl Stream {
    /// The next event; `None` once the stream is at its end.
    async fn next(&mut self) -> Option<Event> {
        let ended = self.server.shutdown_token().clone();
        loop {
            tokio::select! {
                () = ended.cancelled() => return None,
                changed = self.changes.changed() => changed.ok()?,
                _ = self.check.tick() => {}
            }
            if !self.is_open().await {
                return None;
            }
            let changes = *self.changes.borrow_and_update();
            if changes > 0 && changes != self.told {
                self.told = changes;
                // Browsers pass over an event without data.
                let number = changes.to_string();
                return Some(Event::default().event("changed").id(&number).data(&number));
            }
        }
    }

    async fn is_open(&self) -> bool {
        let token = self.session.clone();
        let session = blocking(self.server.clone(), move |server| server.session(&token)).await;
        match session {
            Ok(session) => session.is_some(),
            Err(error) => {
                tracing::warn!(%error, "an event stream ends");
                false
            }
        }
    }
}

/// The script that fetches a page again and lays what changed into the one that is open.
pub(super) async fn script() -> impl IntoResponse {
    let headers: [(HeaderName, &str); 2] =
        [(header::CONTENT_TYPE, "text/javascript; charset=utf-8"), (header::CACHE_CONTROL, "max-age=300")];
    (headers, include_str!("live.js"))
}
