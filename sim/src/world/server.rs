//! The servers: real ones over one store, each called directly where its HTTP routes would be.

use super::phone::Time;
use crate::clock::Ms;
use crate::dice::Source;
use crate::disk::Disk;
use carboy_core::Reply;
use carboy_protocol::PhotoHash;
use carboy_protocol::wire::{self, PHOTO_PATH, PhotoReply, Refusal, SYNC_PATH, SyncReply, SyncRequest};
use carboy_server::{Auth, Server};
use flate2::read::GzDecoder;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

/// A server process.
pub(crate) struct Node {
    /// None while it is down.
    pub(crate) server: Option<Server>,
    pub(crate) up_at: Ms,
    /// Which version it runs: an older one does not know the newest kinds.
    pub(crate) version: u32,
    /// A disk that fails, where that is asked for.
    pub(crate) disk: Option<Disk>,
    random: Arc<Source>,
}

/// A request that a server could read.
pub(crate) enum Request {
    Sync(SyncRequest),
    Piece(Piece),
}

/// A piece of a photo.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Piece {
    pub(crate) hash: PhotoHash,
    pub(crate) from: u64,
    pub(crate) bytes: u64,
}

/// An answer of a server.
#[derive(Debug)]
pub(crate) enum Answered {
    Sync(Box<SyncReply>),
    Piece(PhotoReply),
}

/// What a server made of a request.
pub(crate) struct Served {
    pub(crate) reply: Reply,
    pub(crate) told: Result<Answered, Refusal>,
    pub(crate) request: Option<Request>,
}

impl Node {
    pub(crate) fn new(seed: u64, version: u32, disk: Option<Disk>) -> Self {
        Self { server: None, up_at: 0, version, disk, random: Arc::new(Source::of(seed)) }
    }

    /// Starts it over the store at `path`.
    pub(crate) fn start(&mut self, path: &Path, time: &Arc<Time>) -> Result<(), String> {
        let path = self.disk.as_ref().map_or_else(|| path.to_owned(), |disk| disk.uri(path));
        let server = Server::open_with(&path, time.clone(), self.random.clone());
        self.server = Some(server.map_err(|error| format!("a server does not start: {error}"))?);
        Ok(())
    }
}

/// What the routes for phones do: the version, the token, the body, the reply with its status.
pub(crate) fn serve(server: &Server, token: &str, (path, body): (&str, &[u8]), is_too_old: bool) -> Served {
    if is_too_old {
        return refused(Refusal::Upgrade { supported: vec![wire::VERSION + 1] }, None);
    }
    let auth = match server.authenticate(token) {
        Ok(auth) => auth,
        Err(refusal) => return refused(refusal, None),
    };
    if path != SYNC_PATH {
        return serve_piece(server, &auth, path, body);
    }
    let mut text = Vec::new();
    let read = GzDecoder::new(body).read_to_end(&mut text).map_err(serde_json::Error::io);
    let request: SyncRequest = match read.and_then(|_| serde_json::from_slice(&text)) {
        Ok(request) => request,
        Err(error) => return refused(Refusal::Malformed { detail: error.to_string() }, None),
    };
    match server.handle_sync(&auth, &request) {
        Ok(told) => {
            let body = serde_json::to_vec(&told).unwrap_or_default();
            let (told, request) = (Answered::Sync(Box::new(told)), Request::Sync(request));
            Served { reply: reply(200, body), told: Ok(told), request: Some(request) }
        }
        Err(refusal) => refused(refusal, Some(Request::Sync(request))),
    }
}

fn serve_piece(server: &Server, auth: &Auth, path: &str, body: &[u8]) -> Served {
    let place = path.strip_prefix(PHOTO_PATH).and_then(|rest| rest.strip_prefix('/')?.split_once("?from="));
    let place = place.and_then(|(hash, from)| hash.parse().ok().zip(from.parse().ok()));
    let Some((hash, from)) = place else {
        return refused(Refusal::Malformed { detail: path.to_owned() }, None);
    };
    let request = Request::Piece(Piece { hash, from, bytes: body.len() as u64 });
    match server.handle_photo(auth, hash, from, body) {
        Ok(told) => {
            let body = serde_json::to_vec(&told).unwrap_or_default();
            Served { reply: reply(200, body), told: Ok(Answered::Piece(told)), request: Some(request) }
        }
        Err(refusal) => refused(refusal, Some(request)),
    }
}

fn refused(refusal: Refusal, request: Option<Request>) -> Served {
    let status = match &refusal {
        Refusal::Malformed { .. } => 400,
        Refusal::SignIn { .. } => 401,
        Refusal::UnknownPhoto => 404,
        Refusal::Gap { .. } | Refusal::Forked { .. } | Refusal::Hashes => 409,
        Refusal::TooLarge { .. } => 413,
        Refusal::Upgrade { .. } => 426,
        Refusal::Internal => 500,
        Refusal::Busy => 503,
    };
    let reply = reply(status, serde_json::to_vec(&refusal).unwrap_or_default());
    Served { reply, told: Err(refusal), request }
}

/// A reply with the protocol's own header.
pub(crate) fn reply(status: u16, body: Vec<u8>) -> Reply {
    Reply { status, protocol: Some(wire::VERSION.to_string()), body, ..Reply::default() }
}
