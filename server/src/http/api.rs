//! The routes for programs: sync, enrolment and photos for phones, mutations for a manager's scripts.

use super::client::Client;
use super::watch::is_too_slow;
use super::{blocking, refused, refused_as};
use crate::apply::Outcome;
use crate::{Auth, Author, Error, Rank, Server};
use axum::Json;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Response, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::IntoResponse;
use carboy_protocol::wire::{
    self, Answer, EnrolReply, EnrolRequest, MAX_BODY, MAX_PIECE, PhotoReply, Refusal, SyncReply, SyncRequest,
};
use carboy_protocol::{Mutation, PhotoHash};
use flate2::read::MultiGzDecoder;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::de::DeserializeOwned;
use std::borrow::Cow;
use std::io::Read;
use std::sync::Arc;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

/// The table of the routes under `/v1`.
pub(super) fn described() -> OpenApiRouter<Arc<Server>> {
    OpenApiRouter::new()
        .routes(routes!(sync))
        .routes(routes!(enrol))
        .routes(routes!(photo))
        .routes(routes!(manage))
}

/// The routes under `/v1`, with what holds for all of them.
pub(super) fn routes() -> Router<Arc<Server>> {
    let (router, _) = described().split_for_parts();
    router
        .method_not_allowed_fallback(async || {
            refused_as(StatusCode::METHOD_NOT_ALLOWED, &malformed("only POST is answered here"))
        })
        .fallback(async || refused_as(StatusCode::NOT_FOUND, &malformed("no such route")))
        .layer(middleware::from_fn(check_version))
}

/// The refusals that any route may answer with.
#[derive(utoipa::IntoResponses)]
#[expect(dead_code, reason = "only described")]
enum Refusals {
    /// The request is not of the expected form.
    #[response(status = 400)]
    Malformed(Refusal),
    /// The token is missing, wrong, expired or revoked.
    #[response(status = 401)]
    SignIn(Refusal),
    /// The body took too long.
    #[response(status = 408)]
    TooSlow(Refusal),
    /// The body is too large or holds too much.
    #[response(status = 413)]
    TooLarge(Refusal),
    /// The body's encoding or type is not one that is read.
    #[response(status = 415)]
    Unsupported(Refusal),
    /// The server speaks another version of the protocol.
    #[response(status = 426)]
    Upgrade(Refusal),
    /// Too many attempts: wait.
    #[response(status = 429)]
    TooMany(Refusal),
    /// The server failed.
    #[response(status = 500)]
    Internal(Refusal),
    /// The server has too much to do: come back later.
    #[response(status = 503)]
    Busy(Refusal),
}

/// A phone's round trip: mutations up, results and feed down. The body may be compressed with gzip.
#[utoipa::path(post, path = "/sync", tag = "phone", request_body = SyncRequest,
    params(("carboy-protocol" = u16, Header, description = "The version of the protocol: 1")),
    responses((status = 200, description = "Settled", body = SyncReply), Refusals,
        (status = 409, description = "Another seq, another actor or the hashes first", body = Refusal)),
    security(("bearer" = [])))]
async fn sync(State(server): State<Arc<Server>>, client: Client, bearer: Bearer, body: RawBody) -> Reply {
    let reply = blocking(server, move |server| {
        let auth = server.admit(&client.text(), &bearer.0)?;
        Ok(server.handle_sync(&auth, &body.json()?)?)
    });
    Ok(Json(reply.await?).into_response())
}

/// Exchanges a one-time code for a token.
#[utoipa::path(post, path = "/enrol", tag = "phone", request_body = EnrolRequest,
    params(("carboy-protocol" = u16, Header, description = "The version of the protocol: 1")),
    responses((status = 200, description = "Enrolled", body = EnrolReply), Refusals))]
async fn enrol(State(server): State<Arc<Server>>, client: Client, body: RawBody) -> Reply {
    let reply = blocking(server, move |server| server.handle_enrol(&client.text(), &body.json()?));
    Ok(Json(reply.await?).into_response())
}

/// Where a piece of a photo begins.
#[derive(serde::Deserialize)]
struct Offset {
    from: u64,
}

/// A piece of a photo that an applied mutation speaks of.
#[utoipa::path(post, path = "/photos/{hash}", tag = "phone",
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    params(("hash" = PhotoHash, Path, description = "SHA-256 of the whole photo"),
        ("from" = u64, Query, description = "Where the piece begins"),
        ("carboy-protocol" = u16, Header, description = "The version of the protocol: 1")),
    responses((status = 200, description = "How much is there", body = PhotoReply), Refusals,
        (status = 404, description = "Nothing speaks of this photo", body = Refusal)),
    security(("bearer" = [])))]
async fn photo(
    State(server): State<Arc<Server>>,
    client: Client,
    bearer: Bearer,
    hash: Result<Path<PhotoHash>, PathRejection>,
    offset: Result<Query<Offset>, QueryRejection>,
    Piece(piece): Piece,
) -> Reply {
    let Path(hash) = hash.map_err(|error| malformed(error.body_text()))?;
    let Query(Offset { from }) = offset.map_err(|error| malformed(error.body_text()))?;
    let reply = blocking(server, move |server| {
        let auth = server.admit(&client.text(), &bearer.0)?;
        Ok(server.handle_photo(&auth, hash, from, &piece)?)
    });
    Ok(Json(reply.await?).into_response())
}

/// The reply to a manager's mutation.
#[derive(serde::Serialize, utoipa::ToSchema)]
struct Managed {
    #[serde(flatten)]
    answer: Answer,
    duplicate: bool,
}

/// A mutation of a manager's script.
#[utoipa::path(post, path = "/manage/mutations", tag = "script", request_body = Mutation,
    params(("carboy-protocol" = u16, Header, description = "The version of the protocol: 1")),
    responses((status = 200, description = "Settled", body = Managed), Refusals,
        (status = 403, description = "The token is not a manager's", body = Refusal),
        (status = 422, description = "The id stands for another mutation", body = Refusal)),
    security(("bearer" = [])))]
async fn manage(State(server): State<Arc<Server>>, client: Client, bearer: Bearer, body: RawBody) -> Reply {
    let outcome = blocking(server, move |server| {
        let Auth { account, origin, .. } = server.admit(&client.text(), &bearer.0)?;
        let body = String::from_utf8(body.decoded()?.into_owned())
            .map_err(|error| Error::malformed(error.to_string()))?;
        let author = Author { account: &account, origin: &origin };
        let may = account.is_at_least(Rank::Manager);
        if may { server.manage(author, &body).map(Some) } else { Ok(None) }
    });
    match outcome.await {
        Ok(Some(Outcome { answer, duplicate, .. })) => {
            Ok(Json(Managed { answer, duplicate }).into_response())
        }
        Ok(None) => {
            let detail = "this token is not that of somebody who may change the plant".to_owned();
            Ok(refused_as(StatusCode::FORBIDDEN, &Refusal::SignIn { detail }))
        }
        Err(error @ Error::TxnReused(_)) => {
            Ok(refused_as(StatusCode::UNPROCESSABLE_ENTITY, &Refusal::from(error)))
        }
        Err(error) => Err(error.into()),
    }
}

type Reply = Result<Response<Body>, Refused>;

/// An error on its way out of a handler.
struct Refused(Error);

impl<E: Into<Error>> From<E> for Refused {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response<Body> {
        let Error::Wait { seconds } = self.0 else { return refused(&self.0.into()) };
        let mut response = refused_as(StatusCode::TOO_MANY_REQUESTS, &Refusal::Busy);
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        response
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
        Err(error) if is_too_slow(error.as_ref()) => {
            Err(refused_as(StatusCode::REQUEST_TIMEOUT, &Refusal::Busy))
        }
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
            _ => Err(Error::sign_in("no bearer token").into()),
        }
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
