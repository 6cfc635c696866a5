//! Ids and moments: what the wire has as text and numbers, and Kotlin and Swift as types of their own. `uniffi.toml`
//! names those types.

use crate::CarboyError;
use carboy_protocol as protocol;

/// Ids that cross as text.
macro_rules! ids {
    ($($(#[$doc:meta])+ $id:ident),+ $(,)?) => {
        $(
            $(#[$doc])+
            pub type $id = protocol::$id;

            uniffi::custom_type!(
                $(#[$doc])+
                $id, String, {
                    remote,
                    lower: |id| id.to_string(),
                    try_lift: |text| Ok(text.parse().map_err(CarboyError::invalid)?),
                }
            );
        )+
    };
}

ids! {
    /// A company's plant.
    PlantId,
    /// A rider.
    AccountId,
    /// A phone, as the manager's device list names it.
    DeviceId,
    /// A customer.
    CustomerId,
    /// A route.
    RouteId,
    /// A mutation.
    TxnId,
    /// The plant's code of a product.
    ProductCode,
}

/// A moment by the clock of whoever noted it.
pub type Timestamp = protocol::Timestamp;

uniffi::custom_type!(
    /// A moment by the clock of whoever noted it.
    Timestamp, i64, {
        remote,
        lower: |moment| moment.0,
        try_lift: |millis| Ok(protocol::Timestamp(millis)),
    }
);
