//! The dashboard's cookies. Behind TLS their names begin with `__Host-`: a browser then takes them from this very host
//! alone, and sends them by TLS alone.

use crate::Server;
use axum_extra::extract::cookie::{Cookie, SameSite};

/// How cookies are made.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cookies {
    is_secure: bool,
}

impl Cookies {
    pub(super) fn of(server: &Server) -> Self {
        Self { is_secure: server.is_secure() }
    }

    /// The cookie that holds the session's token.
    pub(super) fn session(self) -> &'static str {
        if self.is_secure { "__Host-carboy_session" } else { "carboy_session" }
    }

    /// The cookie that ties a form without a session to the browser that asked for it.
    pub(super) fn form(self) -> &'static str {
        if self.is_secure { "__Host-carboy_form" } else { "carboy_form" }
    }

    pub(super) fn made(self, name: &'static str, value: String) -> Cookie<'static> {
        let cookie = Cookie::build((name, value)).path("/").http_only(true).same_site(SameSite::Lax);
        cookie.secure(self.is_secure).build()
    }

    /// What takes the cookie away: with the attributes that it was made with, or a browser would not take it.
    pub(super) fn gone(self, name: &'static str) -> Cookie<'static> {
        let mut cookie = self.made(name, String::new());
        cookie.make_removal();
        cookie
    }
}
