//! Values on their way into the database and out of it, the same for each of them.

use crate::Error;
use carboy_protocol::{
    AccountId, ActorId, ChainHash, CustomerId, DeviceId, PhotoHash, PlantId, PublicKey, RouteId, Timestamp,
    TxnId,
};

/// A parameter of a statement.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Value<'a> {
    Null,
    Int(i64),
    Text(&'a str),
    Blob(&'a [u8]),
    /// The keys of a lookup.
    List(&'a [Value<'a>]),
    /// More than the databases' integers hold: no statement takes it.
    TooLarge(u64),
}

/// What stands in a column.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum ValueRef<'a> {
    Null,
    Int(i64),
    Text(&'a str),
    Blob(&'a [u8]),
}

/// What can be a parameter.
pub(crate) trait ToValue {
    fn value(&self) -> Value<'_>;
}

/// What can be read from a column.
pub(crate) trait FromValue: Sized {
    /// The value, or `None` if the column holds another kind.
    fn from_value(value: ValueRef<'_>) -> Option<Self>;
}

/// A row of a query's result.
pub(crate) trait Columns {
    /// What stands in the column with this number, from 0.
    fn column(&self, index: usize) -> Result<ValueRef<'_>, Error>;

    /// How many columns there are.
    fn count(&self) -> usize;
}

/// A row of a query's result, read column by column.
pub(crate) struct Row<'r>(pub(super) &'r dyn Columns);

impl Row<'_> {
    /// What stands in the column with this number, from 0.
    pub(crate) fn get<T: FromValue>(&self, index: usize) -> Result<T, Error> {
        let value = self.0.column(index)?;
        T::from_value(value).ok_or_else(|| Error::Corrupt(format!("column {index}: {value:?}")))
    }
}

/// Parameters for a statement: each of them is a [`ToValue`].
macro_rules! params {
    ($($value:expr),* $(,)?) => {
        &[$($crate::store::value::ToValue::value(&$value)),*]
    };
}
pub(crate) use params;

impl ToValue for i64 {
    fn value(&self) -> Value<'_> {
        Value::Int(*self)
    }
}

impl ToValue for u64 {
    fn value(&self) -> Value<'_> {
        i64::try_from(*self).map_or(Value::TooLarge(*self), Value::Int)
    }
}

impl ToValue for u32 {
    fn value(&self) -> Value<'_> {
        Value::Int(i64::from(*self))
    }
}

impl ToValue for usize {
    fn value(&self) -> Value<'_> {
        i64::try_from(*self).map_or(Value::TooLarge(u64::MAX), Value::Int)
    }
}

impl ToValue for bool {
    fn value(&self) -> Value<'_> {
        Value::Int(i64::from(*self))
    }
}

impl ToValue for str {
    fn value(&self) -> Value<'_> {
        Value::Text(self)
    }
}

impl ToValue for String {
    fn value(&self) -> Value<'_> {
        Value::Text(self)
    }
}

impl ToValue for [u8] {
    fn value(&self) -> Value<'_> {
        Value::Blob(self)
    }
}

impl<const N: usize> ToValue for [u8; N] {
    fn value(&self) -> Value<'_> {
        Value::Blob(self)
    }
}

impl ToValue for Value<'_> {
    fn value(&self) -> Value<'_> {
        *self
    }
}

impl<T: ToValue> ToValue for Option<T> {
    fn value(&self) -> Value<'_> {
        self.as_ref().map_or(Value::Null, ToValue::value)
    }
}

impl<T: ToValue + ?Sized> ToValue for &T {
    fn value(&self) -> Value<'_> {
        (*self).value()
    }
}

impl ToValue for Timestamp {
    fn value(&self) -> Value<'_> {
        Value::Int(self.0)
    }
}

impl FromValue for i64 {
    fn from_value(value: ValueRef<'_>) -> Option<Self> {
        if let ValueRef::Int(int) = value { Some(int) } else { None }
    }
}

impl FromValue for u64 {
    fn from_value(value: ValueRef<'_>) -> Option<Self> {
        i64::from_value(value)?.try_into().ok()
    }
}

impl FromValue for u32 {
    fn from_value(value: ValueRef<'_>) -> Option<Self> {
        i64::from_value(value)?.try_into().ok()
    }
}

impl FromValue for bool {
    fn from_value(value: ValueRef<'_>) -> Option<Self> {
        i64::from_value(value).map(|int| int != 0)
    }
}

impl FromValue for String {
    fn from_value(value: ValueRef<'_>) -> Option<Self> {
        if let ValueRef::Text(text) = value { Some(text.to_owned()) } else { None }
    }
}

impl FromValue for Vec<u8> {
    fn from_value(value: ValueRef<'_>) -> Option<Self> {
        if let ValueRef::Blob(bytes) = value { Some(bytes.to_vec()) } else { None }
    }
}

impl<const N: usize> FromValue for [u8; N] {
    fn from_value(value: ValueRef<'_>) -> Option<Self> {
        if let ValueRef::Blob(bytes) = value { bytes.try_into().ok() } else { None }
    }
}

impl<T: FromValue> FromValue for Option<T> {
    fn from_value(value: ValueRef<'_>) -> Option<Self> {
        if value == ValueRef::Null { Some(None) } else { T::from_value(value).map(Some) }
    }
}

impl FromValue for Timestamp {
    fn from_value(value: ValueRef<'_>) -> Option<Self> {
        i64::from_value(value).map(Self)
    }
}

macro_rules! ids {
    ($($id:ty),*) => {$(
        impl ToValue for $id {
            fn value(&self) -> Value<'_> {
                Value::Blob(self.as_bytes())
            }
        }

        impl FromValue for $id {
            fn from_value(value: ValueRef<'_>) -> Option<Self> {
                <[u8; 16]>::from_value(value).map(Self::from_bytes)
            }
        }
    )*};
}
ids!(AccountId, ActorId, CustomerId, DeviceId, PlantId, RouteId, TxnId);

macro_rules! hashes {
    ($($hash:ident),*) => {$(
        impl ToValue for $hash {
            fn value(&self) -> Value<'_> {
                Value::Blob(&self.0)
            }
        }

        impl FromValue for $hash {
            fn from_value(value: ValueRef<'_>) -> Option<Self> {
                <[u8; 32]>::from_value(value).map($hash)
            }
        }
    )*};
}
hashes!(ChainHash, PhotoHash, PublicKey);
