//! The inputs that a fuzzer begins with: one of each kind that means something, so that it need not find the forms by
//! itself.

use super::{phone, reply, sync};
use carboy_protocol::{ActorId, Dot, VectorClock};
use serde_json::{Value, json};

/// The seeds of the target `name`, each with a name of its own.
#[must_use]
pub fn seeds(name: &str) -> Vec<(String, Vec<u8>)> {
    match name {
        "sync" => with_choices(sync::seeds(), 1),
        "reply" => with_choices(reply::seeds(), 1),
        "store" => stores(),
        "resolution" => with_choices(profiles(), 1),
        _ => Vec::new(),
    }
}

/// Some choices beside them, in the mode of this first byte.
fn with_choices(mut seeds: Vec<(String, Vec<u8>)>, how: u8) -> Vec<(String, Vec<u8>)> {
    for n in 1..=4_u8 {
        // No two bytes are alike for a while, so that many choices are made.
        let bytes = (0..120_u8).map(|at| at.wrapping_mul(37 + 2 * n).wrapping_add(n));
        seeds.push((format!("choices-{n}"), [how].into_iter().chain(bytes).collect()));
    }
    seeds
}

/// How a good file is changed: see `damage` for what the first byte says.
fn stores() -> Vec<(String, Vec<u8>)> {
    let seed = |name: &str, bytes: &[u8]| (name.to_owned(), bytes.to_vec());
    let mut seeds = Vec::new();
    for (whose, bit) in [("phone", 0), ("server", 1)] {
        let named = |what: &str| format!("{whose}-{what}");
        seeds.extend([
            seed(&named("nothing"), &[bit]),
            seed(
                &named("no-database"),
                &[&[bit][..], b"this is no database, and long enough to be read as one".as_slice()].concat(),
            ),
            seed(
                &named("header-alone"),
                &[&[bit][..], b"SQLite format 3\0\x10\0\x02\x02\0\x40\x20\x20".as_slice()].concat(),
            ),
            seed(&named("truncated"), &[bit | 4, 0, 0x20, 0]),
            seed(&named("truncated-wal"), &[bit | 2 | 4, 0, 0x08, 0]),
            seed(&named("no-wal"), &[bit | 8 | 16, 0, 0, 0, 0]),
            seed(&named("patched-header"), &[bit | 8, 0, 0, 16, 2, 0xff, 0xff]),
            seed(&named("patched-page"), &[bit | 8, 0, 0x30, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8]),
            seed(&named("patched-wal"), &[bit | 2 | 8, 0, 0x01, 0, 4, 1, 2, 3, 4]),
            seed(&named("application-id"), &[bit | 8, 0, 0, 68, 4, 1, 2, 3, 4]),
            seed(&named("user-version"), &[bit | 8, 0, 0, 60, 4, 0, 0, 0, 99]),
        ]);
    }
    seeds
}

fn profiles() -> Vec<(String, Vec<u8>)> {
    let clock = VectorClock::from(Dot { actor: ActorId::from_bytes([1; 16]), seq: 2 });
    let siblings: Vec<Value> = (1..3)
        .map(|n| {
            json!({
                "dot": Dot { actor: ActorId::from_bytes([n; 16]), seq: 1 },
                "lamport": u64::MAX, "role": "rider", "author": phone::customer(n), "at": 0, "value": "0700",
            })
        })
        .collect();
    let profile = json!({"registers": {"phone": {"clock": clock, "siblings": siblings}}, "lamport": 7});
    vec![("profile".to_owned(), [&[0][..], profile.to_string().as_bytes()].concat())]
}
