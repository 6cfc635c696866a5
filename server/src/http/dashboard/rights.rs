//! Who may send what: the one place that decides it, for every page and form.

use crate::Rank;
use axum::http::Method;

/// Forms about nobody but the sender.
const OWN: [&str; 3] = ["/sign-out", "/account/password", "/account/sessions"];

/// Forms of those who decide who may do what: these, and all below them.
const OWNERS: [&str; 3] = ["/people", "/tokens", "/settings"];

/// The least rank that this request needs. Every page is for everybody; every form, be it added without a thought of
/// this place, is for managers.
pub(super) fn needed(method: &Method, path: &str) -> Rank {
    let below =
        |top: &str| path.strip_prefix(top).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    if method.is_safe() || OWN.contains(&path) {
        Rank::Viewer
    } else if OWNERS.into_iter().any(below) {
        Rank::Owner
    } else {
        Rank::Manager
    }
}
