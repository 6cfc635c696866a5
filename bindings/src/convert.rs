//! What every conversion between the core's types and those of the border is made of.

use crate::{CarboyError, Field};
use carboy_protocol as protocol;
use std::collections::{BTreeMap, HashMap};
use std::fmt::Display;
use std::str::FromStr;

/// Text as a currency.
pub(crate) fn id<T: FromStr<Err: Display>>(text: &str) -> Result<T, CarboyError> {
    text.parse().map_err(CarboyError::invalid)
}

pub(crate) fn list<T, U: From<T>>(items: Vec<T>) -> Vec<U> {
    items.into_iter().map(Into::into).collect()
}

pub(crate) fn fields(fields: HashMap<Field, String>) -> BTreeMap<protocol::Field, String> {
    fields.into_iter().map(|(field, value)| (field.into(), value)).collect()
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
