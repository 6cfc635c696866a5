//! The records that cross the border, each with its conversion. They mirror those of `carboy-core`, whose
//! documentation says more.

mod account;
mod attention;
mod customer;
mod day;
mod sync;

pub use account::{Config, Enrolment, SignOut, SignedOut, StoredAccount};
pub use attention::{Attention, Choice, Correction, Keep, LostEdit, Refused};
pub use customer::{
    Conflict, Customer, CustomerRow, FailReason, Field, HistoryLine, Money, Product, Receipt, Role, Route,
    Stop, StopProgress, StopState, Value,
};
pub use day::{DayProduct, DayReceipt, DaySummary, DeliveredLine, Record, Settlement, Shift, StockLine};
pub use sync::{Change, LogLevel, Status, SyncReport, SyncState, WaitReason};
