//! What holds on every store: the same tests run on each of them.

mod feed;
mod kinds;
mod photos;
mod sync;
mod tampering;
mod transfer;
