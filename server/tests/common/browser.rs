//! A browser without scripts, for tests of the dashboard.

use super::World;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, header};
use carboy_server::http;
use std::collections::BTreeMap;
use tower::ServiceExt;

/// A browser without scripts: cookies, pages, forms.
pub struct Browser {
    pub router: Router,
    pub cookies: BTreeMap<String, String>,
    /// The languages that it asks for.
    pub languages: Option<&'static str>,
}

pub struct Page {
    pub status: u16,
    pub location: Option<String>,
    pub html: String,
}

pub type Fields = BTreeMap<String, String>;

impl Browser {
    pub fn new(world: &World) -> Self {
        Self { router: http::router(world.server.clone()), cookies: BTreeMap::new(), languages: None }
    }

    pub async fn signed_in(world: &World) -> Self {
        let mut browser = Self::new(world);
        let page = browser.sign_in("grace@example.com", "clean water").await;
        assert_eq!(page.location.as_deref(), Some("/rounds"));
        browser
    }

    pub async fn sign_in(&mut self, login: &str, password: &str) -> Page {
        let mut fields = self.get("/sign-in").await.form("/sign-in");
        fields.insert("login".into(), login.into());
        fields.insert("password".into(), password.into());
        self.post("/sign-in", &fields).await
    }

    pub async fn get(&mut self, path: &str) -> Page {
        self.send(Request::get(path), Body::empty()).await
    }

    pub async fn post(&mut self, path: &str, fields: &Fields) -> Page {
        let pairs = fields.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value)));
        let body = pairs.collect::<Vec<_>>().join("&");
        let request = Request::post(path).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        self.send(request, body.into()).await
    }

    /// Sends the form and opens the page that it leads to.
    pub async fn submit(&mut self, path: &str, fields: &Fields) -> Page {
        let page = self.post(path, fields).await;
        assert_eq!(page.status, 303, "{}", page.html);
        self.get(&page.location.unwrap()).await
    }

    pub async fn send(&mut self, request: axum::http::request::Builder, body: Body) -> Page {
        let cookies = self.cookies.iter().map(|(name, value)| format!("{name}={value}"));
        let cookies = cookies.collect::<Vec<_>>().join("; ");
        let mut request = request.header(header::COOKIE, cookies);
        if let Some(languages) = self.languages {
            request = request.header(header::ACCEPT_LANGUAGE, languages);
        }
        let request = request.body(body).unwrap();
        let (parts, body) = self.router.clone().oneshot(request).await.unwrap().into_parts();
        for cookie in parts.headers.get_all(header::SET_COOKIE) {
            let cookie = cookie.to_str().unwrap();
            let (name, rest) = cookie.split_once('=').unwrap();
            let value = rest.split(';').next().unwrap();
            if value.is_empty() {
                self.cookies.remove(name);
            } else {
                assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"), "{cookie}");
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        assert!(
            parts.headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap().contains("default-src 'none'")
        );
        let location = parts.headers.get(header::LOCATION).map(|value| value.to_str().unwrap().to_owned());
        let html = String::from_utf8(to_bytes(body, usize::MAX).await.unwrap().to_vec()).unwrap();
        Page { status: parts.status.as_u16(), location, html }
    }
}

impl Page {
    /// The fields of the form with this action, as a browser would send them.
    pub fn form(&self, action: &str) -> Fields {
        self.forms(action).into_iter().next().unwrap_or_else(|| panic!("no form {action} in {}", self.html))
    }

    pub fn forms(&self, action: &str) -> Vec<Fields> {
        let forms = self.html.split("<form").skip(1).map(|form| form.split("</form>").next().unwrap());
        forms.filter(|form| attribute(form, "action").as_deref() == Some(action)).map(fields).collect()
    }

    pub fn shows(&self, text: &str) -> bool {
        unescaped(&self.html).contains(text)
    }
}

fn fields(form: &str) -> Fields {
    let inputs = form.split("<input").skip(1).filter_map(|input| {
        let tag = input.split('>').next().unwrap();
        Some((attribute(tag, "name")?, attribute(tag, "value").unwrap_or_default()))
    });
    let mut fields: Fields = inputs.collect();
    for (tag, end) in [("<textarea", "</textarea>"), ("<select", "</select>")] {
        for part in form.split(tag).skip(1) {
            let content = part.split(end).next().unwrap();
            let option = content.split("<option").nth(1).and_then(|option| attribute(option, "value"));
            let text = || unescaped(content.split_once('>').unwrap().1);
            fields.insert(attribute(content, "name").unwrap(), option.unwrap_or_else(text));
        }
    }
    fields
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
    Some(unescaped(rest.split('"').next().unwrap()))
}

fn unescaped(html: &str) -> String {
    // Names stand in an element of their own, so that those of another script do not reorder the line.
    html.replace("<bdi>", "")
        .replace("</bdi>", "")
        .replace("&quot;", "\"")
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&")
        .replace('\u{a0}', " ")
}

pub fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

pub fn with(mut fields: Fields, values: &[(&str, &str)]) -> Fields {
    fields.extend(values.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    fields
}
