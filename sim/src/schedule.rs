//! What happens in a world from the outside: who does something when, and which fault strikes whom. Each operation
//! follows from the seed and its own number alone, so that a history stays itself when others are left out of it.

use crate::clock::Ms;
use crate::dice::{Dice, seed_of};
use std::fmt;
use std::str::FromStr;

/// A kind of fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fault {
    /// A request or its reply is lost.
    Loss,
    /// A request or its reply comes late, so that others overtake it.
    Delay,
    /// A request arrives again, at once or hours later.
    Replay,
    /// A reply is cut short.
    Truncation,
    /// A portal answers in the server's place.
    Portal,
    /// A proxy says that the server is busy, or fails, although the request may have passed.
    Busy,
    /// A proxy finds the request too large.
    TooLarge,
    /// A token is refused.
    Expiry,
    /// No signal for minutes or hours, sometimes without the phone knowing.
    Tunnel,
    /// The app is killed.
    Kill,
    /// The app is suspended and resumed.
    Suspension,
    /// A phone's clock jumps by up to ten years.
    Clock,
    /// A phone is restored from a backup.
    Restore,
    /// A phone's file goes on a second phone.
    Clone,
    /// The app is installed anew.
    Reinstall,
    /// A device is revoked.
    Revocation,
    /// A server crashes, sometimes between committing and answering.
    Crash,
    /// Servers and apps are updated one after another.
    Rollout,
    /// A manager's form is sent twice, or long after it was opened.
    StaleForm,
    /// A phone's disk fails in the middle of a transaction.
    Disk,
    /// A server's disk fails in the middle of a request.
    ServerDisk,
}

impl Fault {
    /// All of them.
    pub const ALL: [Self; 21] = [
        Self::Loss,
        Self::Delay,
        Self::Replay,
        Self::Truncation,
        Self::Portal,
        Self::Busy,
        Self::TooLarge,
        Self::Expiry,
        Self::Tunnel,
        Self::Kill,
        Self::Suspension,
        Self::Clock,
        Self::Restore,
        Self::Clone,
        Self::Reinstall,
        Self::Revocation,
        Self::Crash,
        Self::Rollout,
        Self::StaleForm,
        Self::Disk,
        Self::ServerDisk,
    ];

    /// Its name on the command line and in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Loss => "loss",
            Self::Delay => "delay",
            Self::Replay => "replay",
            Self::Truncation => "truncation",
            Self::Portal => "portal",
            Self::Busy => "busy",
            Self::TooLarge => "too-large",
            Self::Expiry => "expiry",
            Self::Tunnel => "tunnel",
            Self::Kill => "kill",
            Self::Suspension => "suspension",
            Self::Clock => "clock",
            Self::Restore => "restore",
            Self::Clone => "clone",
            Self::Reinstall => "reinstall",
            Self::Revocation => "revocation",
            Self::Crash => "crash",
            Self::Rollout => "rollout",
            Self::StaleForm => "stale-form",
            Self::Disk => "disk",
            Self::ServerDisk => "server-disk",
        }
    }
}

/// Which kinds of faults strike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Faults(u32);

impl Faults {
    /// Every kind.
    pub const ALL: Self = Self((1 << Fault::ALL.len()) - 1);
    /// None at all.
    pub const NONE: Self = Self(0);

    /// These kinds.
    #[must_use]
    pub fn of(kinds: &[Fault]) -> Self {
        Self(kinds.iter().fold(0, |bits, &kind| bits | 1 << kind as u32))
    }

    /// Whether this kind is among them.
    #[must_use]
    pub fn has(self, kind: Fault) -> bool {
        self.0 & (1 << kind as u32) != 0
    }

    /// All of these but one kind.
    #[must_use]
    pub fn without(self, kind: Fault) -> Self {
        Self(self.0 & !(1 << kind as u32))
    }
}

impl FromStr for Faults {
    type Err = String;

    /// `all`, `none`, names divided by commas; with `-` in front of names all but those.
    fn from_str(text: &str) -> Result<Self, String> {
        let named = |names: &str| {
            names.split(',').try_fold(Self::NONE, |faults, name| {
                let kind = Fault::ALL.into_iter().find(|kind| kind.name() == name.trim());
                kind.map(|kind| Self(faults.0 | 1 << kind as u32))
                    .ok_or_else(|| format!("no such fault: {name}"))
            })
        };
        match text {
            "all" => Ok(Self::ALL),
            "none" => Ok(Self::NONE),
            _ => match text.strip_prefix('-') {
                Some(names) => named(names).map(|left_out| Self(Self::ALL.0 & !left_out.0)),
                None => named(text),
            },
        }
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::ALL {
            return f.write_str("all");
        }
        let names: Vec<_> = Fault::ALL.into_iter().filter(|&kind| self.has(kind)).map(Fault::name).collect();
        f.write_str(if names.is_empty() { "none".to_owned() } else { names.join(",") }.as_str())
    }
}

/// What a world is like. Two runs with equal ones have equal histories.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Where all chance comes from.
    pub seed: u64,
    /// After so many actions of riders and managers the faults stop.
    pub actions: u64,
    /// How many riders there are in all plants.
    pub riders: usize,
    /// How many plants.
    pub plants: usize,
    /// How many server processes work on the one store.
    pub servers: usize,
    /// What strikes.
    pub faults: Faults,
    /// Whether riders work without signal, which comes back for a moment every hour or two.
    pub offline: bool,
}

impl Config {
    /// A world of so many riders at up to four to a plant, and three servers.
    #[must_use]
    pub fn new(seed: u64, actions: u64, riders: usize, faults: Faults) -> Self {
        Self { seed, actions, riders, plants: riders.div_ceil(4).max(1), servers: 3, faults, offline: false }
    }

    /// A world whose size follows from the seed too: 1 to 12 riders in 1 to 3 plants, 1 to 3 servers; one in four without
    /// signal for most of the time.
    #[must_use]
    pub fn small(seed: u64, actions: u64, faults: Faults) -> Self {
        let mut dice = Dice::of(seed_of(seed, &[0xc0]));
        let riders = 1 + dice.below(12);
        let plants = 1 + dice.below(3.min(riders));
        let (servers, offline) = (1 + dice.below(3), dice.chance(250));
        Self { seed, actions, riders, plants, servers, faults, offline }
    }
}

/// What kind of operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// A rider deals with a customer: a few taps.
    Visit,
    /// A rider deals with his shift, his stock, his cash or his lists.
    Errand,
    /// A manager works at the dashboard.
    Manage,
    /// A fault strikes.
    Strike(Fault),
}

/// One thing that happens from the outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Operation {
    /// When.
    pub at: Ms,
    /// What.
    pub what: What,
    /// Where all of its own chances come from.
    pub dice: u64,
}

/// A rider deals with a customer every so many milliseconds.
const BETWEEN_VISITS: Ms = 240_000;

/// How often each kind of fault strikes that is an operation of its own, against visits.
const STRIKES: [(Fault, u32); 12] = [
    (Fault::Tunnel, 30),
    (Fault::Kill, 14),
    (Fault::Suspension, 14),
    (Fault::Portal, 8),
    (Fault::Expiry, 8),
    (Fault::Clock, 8),
    (Fault::Restore, 14),
    (Fault::Clone, 6),
    (Fault::Reinstall, 4),
    (Fault::Revocation, 4),
    (Fault::Crash, 10),
    (Fault::Rollout, 6),
];

const VISITS: u32 = 700;
const ERRANDS: u32 = 110;
const MANAGES: u32 = 130;

/// The operation with this number.
#[must_use]
pub fn operation(config: &Config, number: u64) -> Operation {
    let mut dice = Dice::of(seed_of(config.seed, &[1, number]));
    let gap = (BETWEEN_VISITS / config.riders.max(1) as u64).max(2);
    let at = number * gap + dice.within(0..gap);
    let mut weights = vec![VISITS, ERRANDS, MANAGES];
    weights.extend(STRIKES.map(|(_, weight)| weight));
    let what = match dice.weighted(&weights) {
        0 => What::Visit,
        1 => What::Errand,
        2 => What::Manage,
        place => What::Strike(STRIKES[place - 3].0),
    };
    Operation { at, what, dice: dice.seed() }
}
