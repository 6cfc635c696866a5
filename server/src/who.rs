//! Who does something, and from where: what decides whether it may be done, and what the audit trail says of it.

use crate::store::Account;
use carboy_protocol::{DeviceId, PlantId, Role};

/// What a person who signs in may do; each may do all that the ones before may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rank {
    /// Sees every page and changes nothing.
    Viewer,
    /// Does the plant's work.
    Manager,
    /// Decides who may do what: people, tokens for scripts, the plant's settings.
    Owner,
}

impl Rank {
    /// All of them, from the least.
    pub const ALL: [Self; 3] = [Self::Viewer, Self::Manager, Self::Owner];

    /// Its name in the database, in forms and in texts' ids.
    pub fn name(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Manager => "manager",
            Self::Owner => "owner",
        }
    }

    /// The rank of that name.
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rank| rank.name() == name)
    }
}

impl Account {
    /// Whether this person may do what needs `rank`. A rider has none.
    pub fn is_at_least(&self, rank: Rank) -> bool {
        self.rank.is_some_and(|own| own >= rank)
    }

    /// Whether what this person records is to have an effect: all but a viewer's.
    pub fn may_record(&self) -> bool {
        self.role == Role::Rider || self.is_at_least(Rank::Manager)
    }
}

/// Where something comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The machine that the server runs on: its command line, or the server itself.
    Here,
    /// A browser at this address (empty if the server cannot tell).
    Browser {
        /// Its network address.
        address: String,
    },
    /// A phone or a script.
    Device {
        /// Which one.
        device: DeviceId,
        /// Its network address (empty if the server cannot tell).
        address: String,
    },
}

impl Origin {
    pub(crate) fn device(&self) -> Option<DeviceId> {
        match self {
            Self::Device { device, .. } => Some(*device),
            Self::Here | Self::Browser { .. } => None,
        }
    }

    /// `None` for the server's own machine.
    pub(crate) fn address(&self) -> Option<&str> {
        match self {
            Self::Here => None,
            Self::Browser { address } | Self::Device { address, .. } => Some(address),
        }
    }
}

/// Who records a mutation, and from where. An account alone stands for the server's own machine.
#[derive(Debug, Clone, Copy)]
pub struct Author<'a> {
    /// Who.
    pub account: &'a Account,
    /// From where.
    pub origin: &'a Origin,
}

impl<'a> From<&'a Account> for Author<'a> {
    fn from(account: &'a Account) -> Self {
        Self { account, origin: &Origin::Here }
    }
}

/// Who changes what is no mutation: a plant's people, devices, tokens and settings. A plant alone stands for its
/// command line, where nobody has signed in.
#[derive(Debug, Clone, Copy)]
pub struct By<'a> {
    /// Where it is changed.
    pub plant: PlantId,
    /// Who changes it; `None` if nobody has proven who it is.
    pub account: Option<&'a Account>,
    /// From where.
    pub origin: &'a Origin,
}

impl From<PlantId> for By<'_> {
    fn from(plant: PlantId) -> Self {
        Self { plant, account: None, origin: &Origin::Here }
    }
}

impl<'a> From<Author<'a>> for By<'a> {
    fn from(Author { account, origin }: Author<'a>) -> Self {
        Self { plant: account.plant, account: Some(account), origin }
    }
}

impl<'a> From<&'a Account> for By<'a> {
    fn from(account: &'a Account) -> Self {
        Author::from(account).into()
    }
}
