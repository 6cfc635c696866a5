//! What every conversion between the core's types and those of the border is made of.

use crate::{CarboyError, DeliveredLine, Field, StockLine, core};
use carboy_protocol as protocol;
use std::collections::{BTreeMap, HashMap};
use std::fmt::Display;
use std::str::FromStr;
use std::time::Duration;

/// Text as an id, a code or a currency.
pub(crate) fn id<T: FromStr<Err: Display>>(text: &str) -> Result<T, CarboyError> {
    text.parse().map_err(CarboyError::invalid)
}

/// The same where there may be none.
pub(crate) fn optional_id<T: FromStr<Err: Display>>(text: Option<String>) -> Result<Option<T>, CarboyError> {
    text.as_deref().map(id).transpose()
}

pub(crate) fn list<T, U: From<T>>(items: Vec<T>) -> Vec<U> {
    items.into_iter().map(Into::into).collect()
}

pub(crate) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

pub(crate) fn fields(fields: HashMap<Field, String>) -> BTreeMap<protocol::Field, String> {
    fields.into_iter().map(|(field, value)| (field.into(), value)).collect()
}

pub(crate) fn delivered(lines: Vec<DeliveredLine>) -> Result<Vec<core::DeliveredLine>, CarboyError> {
    lines.into_iter().map(TryInto::try_into).collect()
}

pub(crate) fn stock(lines: Vec<StockLine>) -> Result<Vec<protocol::StockLine>, CarboyError> {
    lines.into_iter().map(TryInto::try_into).collect()
}

/// Enums with the same variants on both sides.
macro_rules! same_variants {
    ($from:ty => $to:ty: $($variant:ident),+) => {
        impl From<$from> for $to {
            fn from(value: $from) -> Self {
                match value {
                    $(<$from>::$variant => Self::$variant,)+
                }
            }
        }
    };
}

pub(crate) use same_variants;
