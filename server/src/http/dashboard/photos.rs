//! Photos of deliveries: beside a ledger's lines, and as themselves.

use super::text::Lang;
use super::{Failed, Manager, explain};
use crate::http::blocking;
use crate::store::{LedgerRow, Tx};
use crate::{Error, Server};
use axum::extract::{Path, State};
use axum::http::{HeaderName, header};
use axum::response::IntoResponse;
use carboy_protocol::{PhotoHash, PlantId};
use maud::{Markup, html};
use std::sync::Arc;

/// How long a browser may keep a photo: its address is the hash of its bytes, so these never change.
const KEEP: &str = "private, max-age=86400, immutable";

/// A photo that a line of a ledger speaks of.
pub(super) struct Shown {
    hash: PhotoHash,
    is_complete: bool,
    /// Whether it is one that a browser shows.
    is_picture: bool,
}

/// The photos that a line speaks of.
pub(super) fn of(tx: &Tx<'_>, plant: PlantId, row: &LedgerRow) -> Result<Vec<Shown>, Error> {
    let shown = |photo: carboy_protocol::Photo| {
        let key = (plant, photo.hash, row.account);
        let is_complete = tx.photo(key)?.is_some_and(|photo| photo.is_complete);
        let is_picture = is_complete && picture(&tx.photo_start(key)?).is_some();
        Ok(Shown { hash: photo.hash, is_complete, is_picture })
    };
    explain::photos(&row.body).into_iter().map(shown).collect()
}

pub(super) fn beside_a_line(lang: Lang, photos: &[Shown]) -> Markup {
    html! {
        @if !photos.is_empty() {
            p.photos {
                @for photo in photos {
                    @let address = format!("/photos/{}", photo.hash);
                    @if photo.is_picture {
                        a href=(address) { img src=(address) alt=(lang.text("photo-of-delivery")) loading="lazy"; }
                    } @else if photo.is_complete {
                        a.file href=(address) { (lang.text("photo-file")) }
                    } @else {
                        span.badge { (lang.text("photo-on-its-way")) }
                    }
                }
            }
        }
    }
}

/// The photo itself.
pub(super) async fn show(
    State(server): State<Arc<Server>>,
    manager: Manager,
    Path(hash): Path<PhotoHash>,
) -> Result<impl IntoResponse, Failed> {
    let bytes = blocking(server, move |server| {
        server.store().read(|tx| {
            let plant = manager.plant.id;
            let sender = tx.photo_sender(plant, hash)?.ok_or(Error::NotFound("photo"))?;
            tx.photo_bytes((plant, hash, sender))
        })
    });
    let bytes = bytes.await?;
    // What is no picture is never shown by the browser: it could be a page made to look like one of ours.
    let (kind, disposition) = match picture(&bytes) {
        Some(kind) => (kind, "inline"),
        None => ("application/octet-stream", "attachment"),
    };
    let headers: [(HeaderName, &str); 3] = [
        (header::CONTENT_TYPE, kind),
        (header::CONTENT_DISPOSITION, disposition),
        (header::CACHE_CONTROL, KEEP),
    ];
    Ok((headers, bytes))
}

/// The type of a picture, by its first bytes; `None` for anything else.
fn picture(bytes: &[u8]) -> Option<&'static str> {
    if bytes.starts_with(b"\xff\xd8\xff") {
        Some("image/jpeg")
    } else if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        Some("image/png")
    } else if bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") {
        Some("image/webp")
    } else {
        None
    }
}
