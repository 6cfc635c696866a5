//! Tables for spreadsheets: RFC 4180 in UTF-8 with a byte order mark, written page by page while they are sent.

use super::view::Frame;
use crate::http::blocking;
use crate::{Error, Server};
use axum::body::{Body, Bytes};
use axum::http::{HeaderName, header};
use axum::response::{IntoResponse, Response};
use carboy_protocol::{Currency, Timestamp};
use futures_util::{StreamExt, stream};
use std::future::ready;
use std::io;
use std::sync::Arc;

/// By this spreadsheets know that a file is in UTF-8.
const BYTE_ORDER_MARK: &str = "\u{feff}";

/// Rows of a table, as they are written.
pub(super) struct Sheet(csv::Writer<Vec<u8>>);

impl Sheet {
    fn new() -> Self {
        Self(
            csv::WriterBuilder::new()
                .terminator(csv::Terminator::CRLF)
                .flexible(true)
                .from_writer(Vec::new()),
        )
    }

    /// Adds a row of cells that are safe as they are: see [`text`].
    pub(super) fn row(&mut self, cells: &[String]) {
        // Writing to memory cannot fail, and rows may be of any length.
        let _ = self.0.write_record(cells);
    }

    fn bytes(self) -> Bytes {
        // Nor can the last part of it.
        self.0.into_inner().unwrap_or_default().into()
    }
}

/// A file named `name` with the cells of `head` on top. `next` adds the rows of one page, given where it begins, and
/// tells where the next one does; `None` ends the file.
pub(super) fn file<S: Send + 'static>(
    server: Arc<Server>,
    name: &str,
    head: &[String],
    start: S,
    next: impl Fn(&Server, S, &mut Sheet) -> Result<Option<S>, Error> + Clone + Send + 'static,
) -> Response {
    let mut sheet = Sheet::new();
    sheet.row(head);
    let head = [Bytes::from_static(BYTE_ORDER_MARK.as_bytes()), sheet.bytes()].concat();
    let pages = stream::unfold(Some(start), move |start| {
        let (server, next) = (server.clone(), next.clone());
        async move {
            let start = start?;
            let work = move |server: &Server| {
                let mut sheet = Sheet::new();
                let following = next(server, start, &mut sheet)?;
                Ok((sheet.bytes(), following))
            };
            Some(match blocking(server, work).await {
                Ok((bytes, following)) => (Ok(bytes), following),
                Err(error) => {
                    tracing::error!(%error, "a file ends early");
                    (Err(io::Error::other("the server failed")), None)
                }
            })
        }
    });
    let body = stream::once(ready(Ok(Bytes::from(head)))).chain(pages);
    let headers: [(HeaderName, String); 2] = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{name}.csv\"")),
    ];
    (headers, Body::from_stream(body)).into_response()
}

/// A free text as a cell. A spreadsheet takes what begins like a formula for one, whoever wrote it: a mark in front
/// makes it text.
pub(super) fn text(text: &str) -> String {
    let begins = |c: char| matches!(c, '=' | '+' | '-' | '@' | '＝' | '＋' | '－' | '＠');
    let is_formula = text.starts_with(['\t', '\r']) || text.trim_start().starts_with(begins);
    if is_formula { format!("'{text}") } else { text.to_owned() }
}

/// What [`text`] made of a text, undone.
pub(super) fn read(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(text) if self::text(text) == cell => text,
        _ => cell,
    }
}

/// An amount that a spreadsheet can add up: `-1234.50`.
pub(super) fn decimal(minor: i64, currency: Currency) -> String {
    let (decimals, abs) = (currency.decimals() as usize, minor.unsigned_abs());
    let unit = 10u64.pow(currency.decimals());
    let sign = if minor < 0 { "-" } else { "" };
    match decimals {
        0 => format!("{sign}{abs}"),
        _ => format!("{sign}{}.{:0decimals$}", abs / unit, abs % unit),
    }
}

/// A time in ISO 8601 with its offset, by the plant's clocks. A clock may say anything: what is no date stays empty.
pub(super) fn time(at: Timestamp, frame: &Frame) -> String {
    let exact = jiff::Timestamp::from_millisecond(at.0);
    exact.map_or_else(|_| String::new(), |at| at.display_with_offset(frame.zone.to_offset(at)).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_begins_like_a_formula_becomes_text_and_reads_back() {
        for formula in ["=1+1", "+254 700", "-5", "@sum", " =x", "\t=x", "\rx", "＝x"] {
            let cell = text(formula);
            assert_eq!(cell, format!("'{formula}"));
            assert_eq!(read(&cell), formula);
        }
        for plain in ["Kiosk", "'quoted'", "a=b", "", "0700"] {
            assert_eq!((text(plain).as_str(), read(plain)), (plain, plain));
        }
    }

    #[test]
    fn an_amount_has_the_currencys_decimals_and_nothing_else() {
        let currency = |code: &str| code.parse().unwrap();
        assert_eq!(decimal(-123_456_705, currency("KES")), "-1234567.05");
        assert_eq!(decimal(7, currency("KES")), "0.07");
        assert_eq!(decimal(1_500, currency("UGX")), "1500");
        assert_eq!(decimal(i64::MIN, currency("UGX")), "-9223372036854775808");
    }
}
