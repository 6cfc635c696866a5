//! Which language a page is in: the one chosen at its foot, else the first that the browser asks for and we speak,
//! else the plant's.

use super::problem::Problem;
use super::text::Lang;
use super::{Cookies, Fields};
use crate::{Server, secret};
use axum::Form;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Redirect;
use axum_extra::extract::CookieJar;
use maud::{Markup, html};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The cookie that holds the chosen language's code.
const LANGUAGE: &str = "carboy_language";

/// Where the choice is sent.
pub(super) const ADDRESS: &str = "/language";

/// The language that this browser asks for, if it asks for one that we speak.
pub(super) fn asked(headers: &HeaderMap) -> Option<Lang> {
    let chosen =
        CookieJar::from_headers(headers).get(LANGUAGE).and_then(|cookie| Lang::of_code(cookie.value()));
    chosen.or_else(|| accepted(headers.get(header::ACCEPT_LANGUAGE)?.to_str().ok()?))
}

/// The language of ours that `accepted` (as in `fr;q=0.8, sw`) wants most; of equals the first.
fn accepted(accepted: &str) -> Option<Lang> {
    let wanted = accepted.split(',').filter_map(|part| {
        let (code, weight) = part.split_once(";q=").unwrap_or((part, "1"));
        let weight: f32 = weight.trim().parse().ok()?;
        Some((Lang::of_code(code)?, weight))
    });
    let wanted = wanted.filter(|(_, weight)| *weight > 0.0);
    // The last of equals would be taken from the front.
    wanted.collect::<Vec<_>>().into_iter().rev().max_by(|a, b| a.1.total_cmp(&b.1)).map(|(lang, _)| lang)
}

/// The form at the foot of a page; afterwards the browser is back at `here`.
pub(super) fn form(lang: Lang, csrf: &str, here: &str) -> Markup {
    html! {
        form.language method="post" action=(ADDRESS) {
            (super::view::hidden("csrf", csrf))
            (super::view::hidden("here", here))
            label for="language" { (lang.text("frame-language")) }
            select id="language" name="language" {
                @for other in Lang::ALL {
                    option value=(other.code()) lang=(other.code()) selected[other == lang] { (other.name()) }
                }
            }
            button.quiet { (lang.text("frame-language-choose")) }
        }
    }
}

/// Remembers the choice in the browser. The form may be that of a session's page or of the sign-in page.
pub(super) async fn choose(
    State(server): State<Arc<Server>>,
    jar: CookieJar,
    Form(fields): Form<BTreeMap<String, String>>,
) -> Result<(CookieJar, Redirect), Problem> {
    let fields = Fields(fields);
    let cookies = Cookies::of(&server);
    let holders = [cookies.session(), cookies.form()].into_iter().filter_map(|name| jar.get(name));
    let is_ours = |csrf: &str| {
        holders.map(|it| secret::csrf_token(it.value())).any(|it| secret::same_secret(csrf, &it))
    };
    if !is_ours(fields.get("csrf")) {
        return Err(Problem::new(StatusCode::FORBIDDEN, "error-not-our-form"));
    }
    let Some(lang) = Lang::of_code(fields.get("language")) else {
        return Err(Problem::unreadable("form field language"));
    };
    let mut cookie = cookies.made(LANGUAGE, lang.code().to_owned());
    cookie.make_permanent();
    // Only ever within this server: `//host` and `/\host` lead elsewhere.
    let here = fields.get("here");
    let is_here = here.starts_with('/') && !here.starts_with("//") && !here.contains('\\');
    Ok((jar.add(cookie), Redirect::to(if is_here { here } else { "/" })))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_browsers_most_wanted_language_of_ours_is_taken() {
        for (header, lang) in [
            ("fr", Some(Lang::Fr)),
            ("de, sw-KE;q=0.8, fr;q=0.9", Some(Lang::Fr)),
            ("hi-IN,hi;q=0.9,en;q=0.8", Some(Lang::Hi)),
            ("en, ar", Some(Lang::En)),
            ("ar-EG;q=0, de", None),
            ("de;q=x", None),
            ("*", None),
            ("", None),
        ] {
            assert_eq!(accepted(header), lang, "{header}");
        }
    }
}
