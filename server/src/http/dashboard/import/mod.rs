//! Customers and routes from a spreadsheet: uploaded, looked at row by row, then confirmed.
//!
//! What a file would do is decided when it is looked at, and kept: confirming it, once or twice, does exactly that.

mod pages;
mod plan;
mod rows;

use super::problem::Problem;
use super::view::Frame;
use super::{Failed, Manager, Posted, sheet};
use crate::audit::Change;
use crate::http::blocking;
use crate::secret;
use crate::store::{Account, Tx};
use crate::who::{Author, By};
use crate::{Error, Server};
use axum::extract::multipart::MultipartError;
use axum::extract::{Multipart, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use carboy_protocol::wire::Answer;
use carboy_protocol::{Timestamp, TxnId};
use maud::Markup;
use plan::{Plan, Planned, PlannedRoute, Planner};
use rows::{Column, Unreadable};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// The largest upload, in megabytes: far above what ten thousand rows take.
const MAX_MEGABYTES: usize = 4;

/// The same in bytes.
pub(super) const MAX_UPLOAD: usize = MAX_MEGABYTES * 1024 * 1024;

/// Rows in one transaction: so many that few are needed, so few that phones need not wait for long.
const BATCH: usize = 200;

/// How long an import can be confirmed, in milliseconds: a day.
const KEPT: i64 = 24 * 60 * 60 * 1000;

/// A row that the rule did not accept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Refused {
    line: u64,
    detail: String,
}

/// What a form with a file holds.
#[derive(Debug, Default)]
struct Upload {
    csrf: String,
    file: Vec<u8>,
}

pub(super) async fn form(State(server): State<Arc<Server>>, manager: Manager) -> Result<Markup, Failed> {
    let page =
        blocking(server, move |server| server.store().read(|tx| Ok(pages::form(&manager.frame(tx)?, None))));
    Ok(page.await?)
}

/// An empty file with the columns' names.
pub(super) async fn template(
    State(server): State<Arc<Server>>,
    manager: Manager,
) -> Result<Response, Failed> {
    let head = Column::ALL.map(|column| manager.lang.text(column.text()));
    Ok(sheet::file(server, "customers", &head, (), |_, (), _| Ok(None)))
}

/// Takes a file and leads to the page that says what it would do.
pub(super) async fn upload(
    State(server): State<Arc<Server>>,
    manager: Manager,
    multipart: Result<Multipart, axum::extract::multipart::MultipartRejection>,
) -> Result<Response, Response> {
    let multipart = multipart.map_err(IntoResponse::into_response)?;
    let upload = match receive(multipart).await {
        Ok(upload) => upload,
        Err(error) if error.status() == StatusCode::PAYLOAD_TOO_LARGE => {
            return refusal(server, manager, StatusCode::PAYLOAD_TOO_LARGE, pages::too_large).await;
        }
        Err(error) => return Err(Problem::unreadable(error.body_text()).into_response()),
    };
    if !secret::same_secret(&upload.csrf, &secret::csrf_token(&manager.session)) {
        return Err(Problem::new(StatusCode::FORBIDDEN, "error-not-our-form").into_response());
    }
    let (copy, currency, lang) = (manager.clone(), manager.plant.currency, manager.lang);
    let looked = blocking(server.clone(), move |server| {
        if upload.file.trim_ascii().is_empty() {
            return Ok(Err(None));
        }
        Ok(match rows::read(&upload.file, currency, lang) {
            Ok(read) => Ok(look(server, &copy, &upload.file, read)?),
            Err(why) => Err(Some(why)),
        })
    });
    match looked.await.map_err(|error| Failed(error).into_response())? {
        Ok(import) => Ok(Redirect::to(&format!("/import/{import}")).into_response()),
        Err(why) => {
            let error = move |frame: &Frame| pages::unreadable(frame, why.as_ref());
            refusal(server, manager, StatusCode::UNPROCESSABLE_ENTITY, error).await
        }
    }
}

/// Reads the form: what was pasted counts where no file was chosen.
async fn receive(mut multipart: Multipart) -> Result<Upload, MultipartError> {
    let mut upload = Upload::default();
    while let Some(field) = multipart.next_field().await? {
        let name = field.name().unwrap_or_default().to_owned();
        let bytes = field.bytes().await?;
        match name.as_str() {
            "csrf" => upload.csrf = String::from_utf8_lossy(&bytes).into_owned(),
            "file" | "rows" if upload.file.is_empty() => upload.file = bytes.to_vec(),
            _ => {}
        }
    }
    Ok(upload)
}

/// The form again, with what was wrong.
async fn refusal(
    server: Arc<Server>,
    manager: Manager,
    status: StatusCode,
    error: impl FnOnce(&Frame) -> String + Send + 'static,
) -> Result<Response, Response> {
    let page = blocking(server, move |server| {
        server.store().read(|tx| {
            let frame = manager.frame(tx)?;
            Ok(pages::form(&frame, Some(&error(&frame))))
        })
    });
    let page = page.await.map_err(|error| Failed(error).into_response())?;
    Ok((status, page).into_response())
}

/// Decides what the rows would do, and keeps that.
fn look(
    server: &Server,
    manager: &Manager,
    file: &[u8],
    (rows, faults): (Vec<rows::Row>, Vec<rows::Fault>),
) -> Result<TxnId, Error> {
    let (author, now) = (&manager.account, server.now());
    let reason = manager.lang.text("import-reason");
    let plan = server
        .store()
        .read(|tx| Planner::new(tx, author, manager.plant.currency, file, reason).plan(rows, faults))?;
    let (import, plan) = (server.new_txn()?, serde_json::to_string(&plan)?);
    let oldest = Timestamp(now.0.saturating_sub(KEPT));
    server.store().write(author.plant, |tx| {
        tx.insert_import((author.plant, author.id), import, &plan, (now, oldest))
    })?;
    Ok(import)
}

/// What the file would do, or did.
pub(super) async fn show(
    State(server): State<Arc<Server>>,
    manager: Manager,
    Path(import): Path<TxnId>,
) -> Result<Markup, Failed> {
    let page = blocking(server, move |server| {
        server.store().read(|tx| {
            let (plan, refused) = load(tx, &manager.account, import)?;
            Ok(pages::import(&manager.frame(tx)?, import, &plan, refused.as_deref()))
        })
    });
    Ok(page.await?)
}

/// Does what the file was said to do. A second time it changes nothing.
pub(super) async fn confirm(
    State(server): State<Arc<Server>>,
    Path(import): Path<TxnId>,
    posted: Posted,
) -> Result<Redirect, Failed> {
    let work = blocking(server, move |server| {
        let author = posted.manager.author();
        let plant = author.account.plant;
        let (plan, _) = server.store().read(|tx| load(tx, author.account, import))?;
        let mut refused = Vec::new();
        for rows in plan.rows.chunks(BATCH) {
            refused.extend(apply(server, author, rows)?);
        }
        for route in &plan.routes {
            put_route(server, author, route)?;
        }
        let refused = serde_json::to_string(&refused)?;
        server.store().write(plant, |tx| tx.set_imported(plant, import, &refused))
    });
    work.await?;
    Ok(Redirect::to(&format!("/import/{import}")))
}

fn load(tx: &Tx<'_>, author: &Account, import: TxnId) -> Result<(Plan, Option<Vec<Refused>>), Error> {
    let found = tx.import((author.plant, author.id), import)?.ok_or(Error::NotFound("import"))?;
    let refused = found.refused.map(|refused| serde_json::from_str(&refused)).transpose()?;
    Ok((serde_json::from_str(&found.plan)?, refused))
}

/// Settles the mutations of some rows in one transaction, each by the one rule.
fn apply(server: &Server, author: Author<'_>, rows: &[Planned]) -> Result<Vec<Refused>, Error> {
    let mutations: Vec<_> = rows.iter().map(|row| row.mutations.as_slice()).collect();
    let answers = server.act_all(author, &mutations)?;
    let refused = rows.iter().zip(answers).filter_map(|(row, answer)| match answer {
        Some(Answer::Rejected { detail, .. }) => Some(Refused { line: row.line, detail }),
        Some(Answer::Applied { .. } | Answer::Parked) | None => None,
    });
    Ok(refused.collect())
}

/// Puts the file's customers on a route as it is now, and leaves it alone if they are there.
fn put_route(server: &Server, author: Author<'_>, planned: &PlannedRoute) -> Result<(), Error> {
    let plant = author.account.plant;
    server.changing(author, |tx, books| {
        let known = tx.route_named(plant, &planned.name)?;
        let route = known.unwrap_or(planned.route);
        let before = tx.stops_of(plant, route)?;
        let stops = plan::served(tx, plant, &planned.stops)?;
        let after = plan::placed(&before, &stops);
        if known.is_some() && before == after {
            return Ok(());
        }
        tx.put_route(plant, route, &planned.name, &after, books.take_rev())?;
        let detail = format!("{}: {}", planned.name, after.len());
        By::from(author).note(tx, server.now(), Change::RouteChanged, Some(route.as_bytes()), &detail)
    })
}

impl Unreadable {
    /// The id of what it says.
    fn text(&self) -> &'static str {
        match self {
            Self::NotText => "import-not-text",
            Self::NoNameColumn => "import-no-name",
            Self::UnknownColumn(_) => "import-unknown-column",
            Self::ColumnTwice(_) => "import-column-twice",
            Self::NoRows => "import-no-rows",
            Self::TooManyRows => "import-too-many",
        }
    }
}
