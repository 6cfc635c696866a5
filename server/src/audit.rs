//! What the audit trail knows beside the mutations: changes to who may do what, and to the plant itself.

use crate::Error;
use crate::store::Tx;
use crate::who::By;
use carboy_protocol::Timestamp;

/// A kind of change that is no mutation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    PlantMade,
    AccountAdded,
    AccountDisabled,
    AccountEnabled,
    RankChanged,
    PasswordReset,
    PasswordChosen,
    PasswordChanged,
    SignedIn,
    SignInFailed,
    LockedOut,
    SignedOut,
    SessionsEnded,
    CodeMade,
    CodeCancelled,
    DeviceEnrolled,
    DeviceRevoked,
    TokenMade,
    TokenRevoked,
    RecordClosed,
    ProductChanged,
    RouteChanged,
    SettingsChanged,
}

impl Change {
    #[cfg(test)]
    pub(crate) const ALL: [Self; 23] = [
        Self::PlantMade,
        Self::AccountAdded,
        Self::AccountDisabled,
        Self::AccountEnabled,
        Self::RankChanged,
        Self::PasswordReset,
        Self::PasswordChosen,
        Self::PasswordChanged,
        Self::SignedIn,
        Self::SignInFailed,
        Self::LockedOut,
        Self::SignedOut,
        Self::SessionsEnded,
        Self::CodeMade,
        Self::CodeCancelled,
        Self::DeviceEnrolled,
        Self::DeviceRevoked,
        Self::TokenMade,
        Self::TokenRevoked,
        Self::RecordClosed,
        Self::ProductChanged,
        Self::RouteChanged,
        Self::SettingsChanged,
    ];

    /// Its name in the database, in addresses and in texts' ids. None is also the name of a mutation's kind.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::PlantMade => "plant_made",
            Self::AccountAdded => "account_added",
            Self::AccountDisabled => "account_disabled",
            Self::AccountEnabled => "account_enabled",
            Self::RankChanged => "rank_changed",
            Self::PasswordReset => "password_reset",
            Self::PasswordChosen => "password_chosen",
            Self::PasswordChanged => "password_changed",
            Self::SignedIn => "signed_in",
            Self::SignInFailed => "sign_in_failed",
            Self::LockedOut => "locked_out",
            Self::SignedOut => "signed_out",
            Self::SessionsEnded => "sessions_ended",
            Self::CodeMade => "code_made",
            Self::CodeCancelled => "code_cancelled",
            Self::DeviceEnrolled => "device_enrolled",
            Self::DeviceRevoked => "device_revoked",
            Self::TokenMade => "token_made",
            Self::TokenRevoked => "token_revoked",
            Self::RecordClosed => "record_closed",
            Self::ProductChanged => "product_changed",
            Self::RouteChanged => "route_changed",
            Self::SettingsChanged => "settings_changed",
        }
    }
}

impl By<'_> {
    /// Puts a change on the audit trail, in the transaction that makes it. `subject` is the id of what was changed, if
    /// it has one, `detail` its name or another short word about it.
    pub(crate) fn note(
        self,
        tx: &Tx<'_>,
        now: Timestamp,
        change: Change,
        subject: Option<&[u8; 16]>,
        detail: &str,
    ) -> Result<(), Error> {
        tracing::info!(plant = %self.plant, change = change.name(), "changed");
        tx.insert_audit(self, now, change, subject, detail)
    }
}
