//! The plant's people: riders, and those who sign in here; who may do what, and the end of that.

use super::text::Lang;
use super::view::{self, Frame, Place};
use super::{Failed, Fields, Manager, Posted};
use crate::http::blocking;
use crate::sign_in::PASSWORD;
use crate::store::Person;
use crate::{Error, Invitation, Rank, Server, Unfit};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use carboy_protocol::AccountId;
use carboy_protocol::mutation::MAX_TEXT;
use maud::{Markup, html};
use serde::Deserialize;
use std::sync::Arc;

/// A form of this page that is for owners, named as in its address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Form {
    /// Somebody new for the dashboard.
    Invite,
    /// Another rank.
    Rank,
    /// No password any more, and a link to choose one.
    Reset,
    /// No access any more.
    Disable,
    /// Access again.
    Enable,
}

pub(super) async fn show(State(server): State<Arc<Server>>, manager: Manager) -> Result<Markup, Failed> {
    Ok(blocking(server, move |server| page(server, &manager, None)).await?)
}

pub(super) async fn add_rider(
    State(server): State<Arc<Server>>,
    Posted { manager, fields }: Posted,
) -> Result<Response, Failed> {
    let work = move |server: &Server| {
        let result = server.create_rider(manager.author(), fields.get("name")).map(|_| None);
        answered(server, &manager, result)
    };
    Ok(blocking(server, work).await?)
}

pub(super) async fn send(
    State(server): State<Arc<Server>>,
    Path(form): Path<Form>,
    Posted { manager, fields }: Posted,
) -> Result<Response, Failed> {
    let work = move |server: &Server| {
        let result = decide(server, &manager, form, &fields);
        answered(server, &manager, result)
    };
    Ok(blocking(server, work).await?)
}

/// Does what the form says; a link if one was made.
fn decide(
    server: &Server,
    manager: &Manager,
    form: Form,
    fields: &Fields,
) -> Result<Option<Invitation>, Error> {
    let (by, account) = (manager.author(), || fields.hidden::<AccountId>("account"));
    let rank = || Rank::of(fields.get("rank")).ok_or_else(|| Error::malformed("form field rank"));
    match form {
        Form::Invite => server.invite(by, rank()?, fields.get("name"), fields.get("login")).map(Some),
        Form::Reset => server.reset_password(by, account()?).map(Some),
        Form::Rank => server.set_rank(by, account()?, rank()?).map(|()| None),
        Form::Disable => server.disable_account(by, account()?).map(|()| None),
        Form::Enable => server.enable_account(by, account()?).map(|()| None),
    }
}

/// Back to the page; or the page with the link that was made, which is shown once, or with what is wrong.
fn answered(
    server: &Server,
    manager: &Manager,
    result: Result<Option<Invitation>, Error>,
) -> Result<Response, Error> {
    match result {
        Ok(None) => Ok(Redirect::to("/people").into_response()),
        Ok(Some(link)) => Ok(page(server, manager, Some(&Shown::Link(link)))?.into_response()),
        Err(Error::Unfit(unfit)) => {
            let page = page(server, manager, Some(&Shown::Error(unfit.in_words(manager.lang))))?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
        }
        Err(error) => Err(error),
    }
}

impl Unfit {
    /// What is wrong with what was asked for, for whoever did.
    pub(super) fn in_words(&self, lang: Lang) -> String {
        match self {
            Self::Text { length, .. } => {
                lang.with("unfit-text", &[("length", (*length).into()), ("max", MAX_TEXT.into())])
            }
            Self::Password { length } => {
                let (min, max) = (*PASSWORD.start(), *PASSWORD.end());
                lang.with(
                    "unfit-password",
                    &[("length", (*length).into()), ("min", min.into()), ("max", max.into())],
                )
            }
            Self::LoginTaken(login) => lang.with("unfit-login-taken", &[("login", login.into())]),
            Self::LastOwner(name) => lang.with("unfit-last-owner", &[("name", name.into())]),
            Self::Disabled(name) => lang.with("unfit-disabled", &[("name", name.into())]),
            Self::Viewer(name) => lang.with("unfit-viewer", &[("name", name.into())]),
        }
    }
}

/// What a form left to show.
enum Shown {
    Link(Invitation),
    Error(String),
}

fn page(server: &Server, manager: &Manager, shown: Option<&Shown>) -> Result<Markup, Error> {
    server.store().read(|tx| {
        let (frame, people) = (manager.frame(tx)?, tx.people(manager.plant.id)?);
        let lang = frame.lang;
        let (riders, staff): (Vec<_>, Vec<_>) = people.iter().partition(|row| row.account.rank.is_none());
        let content = html! {
            h1 { (lang.text("people-title")) }
            @match shown {
                Some(Shown::Link(link)) => (link_card(&frame, &manager.site, &people, link)),
                Some(Shown::Error(error)) => p.error role="alert" { (error) },
                None => {},
            }
            div.columns {
                section {
                    h2 { (lang.text("people-staff")) }
                    @for row in staff { (person(&frame, row)) }
                    @if frame.rank == Rank::Owner { (invite_form(&frame)) }
                }
                section {
                    h2 { (lang.text("people-riders")) }
                    @if riders.is_empty() { p.empty { (lang.text("people-no-rider")) } }
                    @for row in riders { (person(&frame, row)) }
                    @if frame.rank >= Rank::Manager { (rider_form(&frame)) }
                }
            }
        };
        Ok(view::page(&frame, Some(Place::People), &lang.text("people-title"), &content))
    })
}

fn link_card(frame: &Frame, site: &str, people: &[Person], link: &Invitation) -> Markup {
    let lang = frame.lang;
    let name = people.iter().find(|row| row.account.id == link.account);
    let name = name.map_or("", |row| row.account.name.as_str());
    html! {
        section.card.link role="status" {
            h2 { (lang.with("people-link-for", &[("name", name.into())])) }
            p { code dir="ltr" { (site) "/password/" (link.token) } }
            p.muted { (lang.html("people-link-use", &[], &[("time", frame.time(link.until))])) }
        }
    }
}

fn person(frame: &Frame, row: &Person) -> Markup {
    let (lang, account) = (frame.lang, &row.account);
    html! {
        article.card {
            h2 {
                bdi { (account.name) }
                @if let Some(rank) = account.rank { " " span.badge.calm { (frame.rank_name(rank)) } }
                @if account.is_disabled { " " span.badge { (lang.text("people-disabled")) } }
            }
            p.muted {
                @if let Some(login) = &row.login { bdi dir="ltr" { (login) } " · " }
                @if row.login.is_some() && !row.has_password { (lang.text("people-no-password")) " · " }
                (lang.with("people-devices", &[("count", row.devices.into())]))
                " · " a href=(format!("/audit?person={}", account.id)) { (lang.text("people-trail")) }
            }
            @if frame.rank == Rank::Owner { (owner_forms(frame, row)) }
        }
    }
}

/// What an owner can decide about a person.
fn owner_forms(frame: &Frame, row: &Person) -> Markup {
    let lang = frame.lang;
    let form = |name: &str, content: Markup| {
        html! {
            form.line method="post" action=(format!("/people/{name}")) {
                (view::hidden("csrf", &frame.csrf))
                (view::hidden("account", &row.account.id.to_string()))
                (content)
            }
        }
    };
    let button = |id: &str, class: &str| html! { button.quiet class=(class) { (lang.text(id)) } };
    if row.account.is_disabled {
        return form("enable", button("people-enable", ""));
    }
    html! {
        details {
            summary { (lang.text("people-change")) }
            @if let Some(rank) = row.account.rank {
                (form("rank", html! { (rank_field(frame, rank)) (button("people-set-rank", "")) }))
                p.muted { (lang.text("people-reset-what")) }
                (form("reset", button("people-reset", "danger")))
            }
            p.muted { (lang.text("people-disable-what")) }
            (form("disable", button("people-disable", "danger")))
        }
    }
}

fn rank_field(frame: &Frame, chosen: Rank) -> Markup {
    html! {
        label {
            (frame.lang.text("people-rank"))
            select name="rank" {
                @for rank in Rank::ALL {
                    option value=(rank.name()) selected[rank == chosen] { (frame.rank_name(rank)) }
                }
            }
        }
    }
}

fn invite_form(frame: &Frame) -> Markup {
    let lang = frame.lang;
    html! {
        form.card method="post" action="/people/invite" {
            h2 { (lang.text("people-invite")) }
            (view::hidden("csrf", &frame.csrf))
            label { (lang.text("people-name")) input name="name" autocomplete="off" dir="auto" required; }
            label {
                (lang.text("sign-in-login"))
                input name="login" autocomplete="off" dir="ltr" placeholder="name@example.com" required;
            }
            (rank_field(frame, Rank::Manager))
            p.muted { (lang.text("people-ranks")) }
            button { (lang.text("people-invite-send")) }
        }
    }
}

fn rider_form(frame: &Frame) -> Markup {
    let lang = frame.lang;
    html! {
        form.card.line method="post" action="/riders" {
            (view::hidden("csrf", &frame.csrf))
            label { (lang.text("people-new-rider")) input name="name" autocomplete="off" dir="auto" required; }
            button { (lang.text("people-add")) }
        }
    }
}
