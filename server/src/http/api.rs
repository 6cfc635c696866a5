//! The routes for programs: sync, enrolment and photos for phones, mutations for a manager's scripts.

use super::{blocking, refused, refused_as};
use crate::apply::Outcome;
use crate::{Auth, Error, Server};
use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{ConnectInfo, FromRequest, FromRequestParts, Path, Query, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Response, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::IntoResponse;
use axum::routing::post;
use axum::{Extension, Router};
use carboy_protocol::wire::{self, Answer, MAX_BODY, MAX_PIECE, Refusal};
use carboy_protocol::{PhotoHash, Role};
use flate2::read::MultiGzDecoder;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::de::DeserializeOwned;
use std::borrow::Cow;
use std::io::Read;
use std::net::SocketAddr;
use std::sync::Arc;

/// The routes under `/v1`.
pub(super) fn routes() -> Router<Arc<Server>> {
    Router::new()
        .route("/sync", post(sync))
        .route("/enrol", post(enrol))
        .route("/photos/{hash}", post(photo))
        .route("/manage/mutations", post(manage))
        .method_not_allowed_fallback(async || {
            refused_as(StatusCode::METHOD_NOT_ALLOWED, &malformed("only POST is answered here"))
        })
        .fallback(async || refused_as(StatusCode::NOT_FOUND, &malformed("no such route")))
        .layer(middleware::from_fn(check_version))
}

async fn sync(State(server): State<Arc<Server>>, bearer: Bearer, body: RawBody) -> Reply {
    let reply = blocking(server, move |server| {
        let auth = server.authenticate(&bearer.0).map_err(Error::Refused)?;
        server.handle_sync(&auth, &body.json()?).map_err(Error::Refused)
    });
    Ok(Json(reply.await?).into_response())
}

async fn enrol(State(server): State<Arc<Server>>, Peer(peer): Peer, body: RawBody) -> Reply {
    let reply =
        blocking(server, move |server| server.handle_enrol(&peer, &body.json()?).map_err(Error::Refused));
    match reply.await {
        Err(Error::Refused(Refusal::Busy)) => Ok(refused_as(StatusCode::TOO_MANY_REQUESTS, &Refusal::Busy)),
        reply => Ok(Json(reply?).into_response()),
    }
}

/// Where a piece of a photo begins.
#[derive(serde::Deserialize)]
struct Offset {
    from: u64,
}

async fn photo(
    State(server): State<Arc<Server>>,
    bearer: Bearer,
    hash: Result<Path<PhotoHash>, PathRejection>,
    offset: Result<Query<Offset>, QueryRejection>,
    Piece(piece): Piece,
) -> Reply {
    let Path(hash) = hash.map_err(|error| malformed(error.body_text()))?;
    let Query(Offset { from }) = offset.map_err(|error| malformed(error.body_text()))?;
    let reply = blocking(server, move |server| {
        let auth = server.authenticate(&bearer.0).map_err(Error::Refused)?;
        server.handle_photo(&auth, hash, from, &piece).map_err(Error::Refused)
    });
    Ok(Json(reply.await?).into_response())
}

/// The reply to a manager's mutation.
#[derive(serde::Serialize)]
struct Managed {
    #[serde(flatten)]
    answer: Answer,
    duplicate: bool,
}

async fn manage(State(server): State<Arc<Server>>, bearer: Bearer, body: RawBody) -> Reply {
    let outcome = blocking(server, move |server| {
        let Auth { account, .. } = server.authenticate(&bearer.0).map_err(Error::Refused)?;
        let body = String::from_utf8(body.decoded()?.into_owned())
            .map_err(|error| Error::malformed(error.to_string()))?;
        if account.role == Role::Manager { server.manage(&account, &body).map(Some) } else { Ok(None) }
    });
    match outcome.await {
        Ok(Some(Outcome { answer, duplicate })) => Ok(Json(Managed { answer, duplicate }).into_response()),
        Ok(None) => {
            let detail = "this token is not a manager's".to_owned();
            Ok(refused_as(StatusCode::FORBIDDEN, &Refusal::SignIn { detail }))
        }
        Err(error @ Error::TxnReused(_)) => {
            Ok(refused_as(StatusCode::UNPROCESSABLE_ENTITY, &Refusal::from(error)))
        }
        Err(error) => Err(error.into()),
    }
}

type Reply = Result<Response<Body>, Refused>;

/// A refusal on its way out of a handler.
struct Refused(Refusal);

impl<E: Into<Refusal>> From<E> for Refused {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response<Body> {
        refused(&self.0)
    }
}

fn malformed(detail: impl Into<String>) -> Refusal {
    Refusal::Malformed { detail: detail.into() }
}

/// A request's body as it came, within the limit.
struct RawBody {
    is_gzip: bool,
    bytes: Bytes,
}

impl<S: Sync> FromRequest<S> for RawBody {
    type Rejection = Response<Body>;

    async fn from_request(request: Request, _: &S) -> Result<Self, Response<Body>> {
        let is_gzip = match request.headers().get(header::CONTENT_ENCODING).map(HeaderValue::as_bytes) {
            None | Some(b"identity") => false,
            Some(b"gzip") => true,
            Some(_) => return Err(unsupported("content encoding is not gzip")),
        };
        Ok(Self { is_gzip, bytes: read(request, MAX_BODY).await? })
    }
}

/// A piece of a photo, which is compressed already.
struct Piece(Bytes);

impl<S: Sync> FromRequest<S> for Piece {
    type Rejection = Response<Body>;

    async fn from_request(request: Request, _: &S) -> Result<Self, Response<Body>> {
        match request.headers().get(header::CONTENT_ENCODING).map(HeaderValue::as_bytes) {
            None | Some(b"identity") => Ok(Self(read(request, MAX_PIECE).await?)),
            Some(_) => Err(unsupported("a photo has no content encoding")),
        }
    }
}

async fn read(request: Request, limit: usize) -> Result<Bytes, Response<Body>> {
    match Limited::new(request.into_body(), limit).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(refused(&too_large(limit))),
        Err(error) => Err(refused(&malformed(error.to_string()))),
    }
}

fn unsupported(detail: &str) -> Response<Body> {
    refused_as(StatusCode::UNSUPPORTED_MEDIA_TYPE, &malformed(detail))
}

impl RawBody {
    /// The body after decompression, which has the same limit: a few kilobytes of gzip can hold gigabytes.
    fn decoded(&self) -> Result<Cow<'_, [u8]>, Error> {
        if !self.is_gzip {
            return Ok(Cow::Borrowed(&self.bytes));
        }
        let mut decoded = Vec::new();
        let limit = MAX_BODY as u64 + 1;
        let read = MultiGzDecoder::new(&self.bytes[..]).take(limit).read_to_end(&mut decoded);
        read.map_err(|error| Error::malformed(format!("gzip: {error}")))?;
        if decoded.len() > MAX_BODY {
            Err(Error::Refused(too_large(MAX_BODY)))
        } else {
            Ok(Cow::Owned(decoded))
        }
    }

    fn json<T: DeserializeOwned>(&self) -> Result<T, Error> {
        serde_json::from_slice(&self.decoded()?).map_err(|error| Error::malformed(error.to_string()))
    }
}

fn too_large(limit: usize) -> Refusal {
    Refusal::TooLarge { limit: limit as u64 }
}

/// A request's bearer token.
struct Bearer(String);

impl<S: Sync> FromRequestParts<S> for Bearer {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refused> {
        let value = parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        match value.and_then(|value| value.split_once(' ')) {
            Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => {
                Ok(Self(token.trim().to_owned()))
            }
            _ => Err(Refused(Refusal::SignIn { detail: "no bearer token".into() })),
        }
    }
}

/// The address that a request comes from, as far as the server knows it.
pub(super) struct Peer(pub(super) String);

impl<S: Send + Sync> FromRequestParts<S> for Peer {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        let info = Extension::<ConnectInfo<SocketAddr>>::from_request_parts(parts, state).await;
        Ok(Self(info.map_or_else(|_| String::new(), |Extension(ConnectInfo(peer))| peer.ip().to_string())))
    }
}

async fn check_version(request: Request, next: Next) -> Response<Body> {
    match request.headers().get(wire::HEADER) {
        None => refused(&malformed(format!("no {} header", wire::HEADER))),
        Some(version) if version.to_str().is_ok_and(|text| text == wire::VERSION.to_string()) => {
            next.run(request).await
        }
        Some(_) => refused(&Refusal::Upgrade { supported: vec![wire::VERSION] }),
    }
}
