//! The pages of an import: the form, and what a file would do or did.

use super::plan::{Change, Plan, Planned, PlannedRoute};
use super::rows::{Column, Fault, MAX_ROWS, Unreadable, Wrong};
use super::{MAX_MEGABYTES, Refused};
use crate::http::dashboard::text::Lang;
use crate::http::dashboard::view::{self, Frame, Place};
use crate::http::dashboard::{amount, explain};
use carboy_protocol::mutation::MAX_TEXT;
use carboy_protocol::{Action, TxnId};
use maud::{Markup, html};

/// Rows with errors that are shown.
const FAULTS: usize = 200;

/// Other rows that are shown.
const ROWS: usize = 100;

/// What a file is chosen or pasted into.
pub(super) fn form(frame: &Frame, error: Option<&str>) -> Markup {
    let lang = frame.lang;
    let title = lang.text("import-title");
    let limits = [("megabytes", MAX_MEGABYTES.into()), ("rows", MAX_ROWS.into())];
    let content = html! {
        p.up { a href="/customers" { span.back aria-hidden="true" { "← " } (lang.text("customers-title")) } }
        h1 { (title) }
        p.lead { (lang.text("import-lead")) }
        @if let Some(error) = error { p.error role="alert" { (error) } }
        section.card {
            p { (lang.with("import-columns", &[("columns", columns(lang).into())])) }
            p { (lang.text("import-same")) }
            p { a href="/import/template" { (lang.text("import-template")) } }
        }
        @if frame.may_work() {
            form.card method="post" action="/import" enctype="multipart/form-data" {
                (view::hidden("csrf", &frame.csrf))
                label {
                    (lang.with("import-file", &limits))
                    input type="file" name="file" accept=".csv,.txt,text/csv,text/plain";
                }
                label { (lang.text("import-paste")) textarea.sheet name="rows" rows="6" spellcheck="false" {} }
                button { (lang.text("import-look")) }
            }
        }
    };
    view::page(frame, Some(Place::Customers), &title, &content)
}

pub(super) fn too_large(frame: &Frame) -> String {
    frame.lang.with("import-too-large", &[("megabytes", MAX_MEGABYTES.into())])
}

/// Why a file cannot be read; `None` stands for no file at all.
pub(super) fn unreadable(frame: &Frame, why: Option<&Unreadable>) -> String {
    let lang = frame.lang;
    let Some(why) = why else { return lang.text("import-nothing-sent") };
    let text = match why {
        Unreadable::UnknownColumn(text) | Unreadable::ColumnTwice(text) => text.as_str(),
        _ => "",
    };
    let (columns, name) = (columns(lang), lang.text(Column::Name.text()));
    let values = [
        ("text", text.into()),
        ("columns", columns.into()),
        ("column", name.into()),
        ("rows", MAX_ROWS.into()),
    ];
    lang.with(why.text(), &values)
}

fn columns(lang: Lang) -> String {
    Column::ALL.map(|column| lang.text(column.text())).join(", ")
}

/// What a file would do; or, once it was confirmed, did, with what was refused.
pub(super) fn import(frame: &Frame, import: TxnId, plan: &Plan, refused: Option<&[Refused]>) -> Markup {
    let lang = frame.lang;
    let title = lang.text(if refused.is_some() { "import-title" } else { "import-preview" });
    let content = html! {
        p.up { a href="/import" { span.back aria-hidden="true" { "← " } (lang.text("import-title")) } }
        h1 { (title) }
        @match refused {
            Some(refused) => {
                p.flash role="status" { (lang.text("import-done")) " " a href="/customers" { (lang.text("import-to-customers")) } }
                (refused_rows(frame, refused))
            },
            None => {},
        }
        (figures(frame, plan))
        @if refused.is_none() { (choice(frame, import, plan)) }
        (faults(frame, &plan.faults))
        (routes(frame, &plan.routes))
        (rows(frame, &plan.rows))
    };
    view::page(frame, Some(Place::Customers), &title, &content)
}

fn figures(frame: &Frame, plan: &Plan) -> Markup {
    let figures = [
        ("import-new", plan.count(Change::New)),
        ("import-changed", plan.count(Change::Changed)),
        ("import-unchanged", plan.count(Change::Unchanged)),
        ("import-bad", plan.faults.len()),
    ];
    html! {
        dl.figures {
            @for (name, count) in figures {
                div { dt { (frame.lang.text(name)) } dd { (frame.lang.number(count as u64)) } }
            }
        }
    }
}

/// Do it, do the good part of it, or leave it.
fn choice(frame: &Frame, import: TxnId, plan: &Plan) -> Markup {
    let lang = frame.lang;
    let good = [("count", plan.rows.len().into())];
    let button = match plan.faults.is_empty() {
        true => lang.text("import-apply-all"),
        false => lang.with("import-apply-good", &good),
    };
    html! {
        section.card {
            @if plan.does_something() {
                form method="post" action=(format!("/import/{import}")) {
                    (view::hidden("csrf", &frame.csrf))
                    button { (button) }
                }
            } @else { p { (lang.text("import-nothing-good")) } }
            p { a href="/import" { (lang.text("import-apply-none")) } }
        }
    }
}

fn refused_rows(frame: &Frame, refused: &[Refused]) -> Markup {
    html! {
        @if !refused.is_empty() {
            section.card {
                h2 { (frame.lang.text("import-refused")) }
                ul.wrong {
                    @for row in refused.iter().take(FAULTS) {
                        li { b { (line(frame, row.line)) } " " bdi lang="en" dir="ltr" { (row.detail) } }
                    }
                }
                (more(frame, refused.len(), FAULTS))
            }
        }
    }
}

fn faults(frame: &Frame, faults: &[Fault]) -> Markup {
    let lang = frame.lang;
    html! {
        @if !faults.is_empty() {
            section.card {
                h2 { (lang.text("import-bad")) }
                ul.wrong {
                    @for fault in faults.iter().take(FAULTS) {
                        li {
                            b { (line(frame, fault.line)) } " · "
                            (lang.text(fault.column.map_or("import-row", Column::text))) ": " (wrong(frame, &fault.wrong))
                        }
                    }
                }
                (more(frame, faults.len(), FAULTS))
            }
        }
    }
}

fn routes(frame: &Frame, routes: &[PlannedRoute]) -> Markup {
    let lang = frame.lang;
    html! {
        @if !routes.is_empty() {
            section.card {
                h2 { (lang.text("import-routes")) }
                ul {
                    @for route in routes {
                        li.what {
                            span {
                                bdi { (route.name) }
                                @if route.is_new { " " span.badge.calm { (lang.text("import-route-new")) } }
                            }
                            span.muted { (lang.with("import-route-stops", &[("count", route.stops.len().into())])) }
                        }
                    }
                }
            }
        }
    }
}

fn rows(frame: &Frame, rows: &[Planned]) -> Markup {
    html! {
        @if !rows.is_empty() {
            section.card {
                ul.wrong { @for row in rows.iter().take(ROWS) { li { (planned(frame, row)) } } }
                (more(frame, rows.len(), ROWS))
            }
        }
    }
}

fn planned(frame: &Frame, row: &Planned) -> Markup {
    let lang = frame.lang;
    let (state, class) = match row.change {
        Change::New => ("import-state-new", "badge calm"),
        Change::Changed => ("import-state-changed", "badge"),
        Change::Unchanged => ("import-state-unchanged", "badge quiet"),
    };
    html! {
        div.what {
            span { span.muted { (line(frame, row.line)) " · " } b { bdi { (row.name) } } }
            span class=(class) { (lang.text(state)) }
        }
        @for (_, action) in &row.mutations {
            @match action {
                Action::UpdateProfile { edit, .. } => p {
                    @for (field, value) in &edit.changes { (explain::label(lang, *field)) ": " bdi { (value) } " " }
                },
                Action::AdjustBalance { amount, .. } => p {
                    (lang.text("import-column-balance")) ": " (amount::signed(lang, *amount, true))
                },
                _ => {},
            }
        }
        @if row.leaves_balance { p.muted { (lang.text("import-balance-left")) } }
    }
}

fn line(frame: &Frame, line: u64) -> String {
    frame.lang.with("import-line", &[("line", line.into())])
}

fn more(frame: &Frame, all: usize, shown: usize) -> Markup {
    html! {
        @if all > shown { p.muted { (frame.lang.with("import-more", &[("count", (all - shown).into())])) } }
    }
}

/// What is wrong, to be read behind the column's name.
fn wrong(frame: &Frame, wrong: &Wrong) -> String {
    let lang = frame.lang;
    let text = |id: &str, text: &String| lang.with(id, &[("text", text.as_str().into())]);
    match wrong {
        Wrong::Empty => lang.text("import-bad-empty"),
        Wrong::Long { length } => {
            lang.with("import-bad-long", &[("length", (*length).into()), ("max", MAX_TEXT.into())])
        }
        Wrong::NoPosition { text: cell } => text("import-bad-position", cell),
        Wrong::NoRoute => lang.text("import-bad-no-route"),
        Wrong::NoAmount { text } => {
            let example = amount::plain(lang, 123_450, frame.currency);
            lang.with("import-bad-amount", &[("text", text.as_str().into()), ("example", example.into())])
        }
        Wrong::NoCustomer { text: cell } => text("import-bad-id", cell),
        Wrong::Twice { other } => lang.with("import-bad-twice", &[("other", (*other).into())]),
        Wrong::SameName => lang.text("import-bad-same-name"),
        Wrong::Several => lang.text("import-bad-several"),
        Wrong::Closed => lang.text("import-bad-closed"),
        Wrong::MoreCells => lang.text("import-bad-cells"),
    }
}
