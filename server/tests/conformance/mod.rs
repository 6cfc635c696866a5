//! What holds on every store: the same tests run on each of them.

mod accounts;
mod audit;
mod customers;
mod feed;
mod folding;
mod formats;
mod fuzz;
mod kinds;
mod parked;
mod photos;
mod rounds;
mod sheets;
mod sync;
mod tampering;
mod texts;
mod transfer;
