//! The kinds of mutations: what each carries, what it puts on a ledger, and how its values are checked.

use crate::mutation::{Invalid, MAX_BOTTLES, MAX_LINES, MAX_MINOR, MAX_PHOTO, MAX_PHOTOS, MAX_TEXT};
use crate::{
    Currency, CustomerId, Field, Money, MoneyError, PhotoHash, ProductCode, RouteId, TxnId, VectorClock,
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What was done. The name of a variant in snake case is its `kind` on the wire.
///
/// ```
/// use carboy_protocol::{Action, CustomerId, DeliveryLine};
/// let line = DeliveryLine { product: "20L".parse()?, delivered: 2, empties: 1, unit_price: 15_000 };
/// let action = Action::ConfirmDelivery {
///     customer: CustomerId::from_bytes([1; 16]),
///     lines: vec![line],
///     currency: "KES".parse()?,
///     proof: None,
///     photos: vec![],
/// };
/// action.validate()?;
/// assert_eq!(action.ledger_amount()?.map(|owed| owed.minor), Some(30_000));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Action {
    /// Bottles were handed over, and empties taken back. The customer owes the sum of the lines.
    ConfirmDelivery {
        /// Who received them.
        customer: CustomerId,
        /// Bottles by product; at least one line.
        lines: Vec<DeliveryLine>,
        /// The currency of the lines' prices.
        currency: Currency,
        /// A reference to a proof, for example a signature's number.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        proof: Option<String>,
        /// Photos of the delivery, which follow later; at most [`MAX_PHOTOS`].
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        photos: Vec<Photo>,
    },
    /// The rider took cash from a customer, who owes that much less.
    CollectCash {
        /// Who paid.
        customer: CustomerId,
        /// How much, more than zero.
        amount: Money,
    },
    /// Fields of a customer's profile got new values.
    UpdateProfile {
        /// Whose profile.
        customer: CustomerId,
        /// What was written.
        #[serde(flatten)]
        edit: Edit,
    },
    /// A stop was visited in vain.
    FailDelivery {
        /// Who was to be delivered to.
        customer: CustomerId,
        /// Why it failed.
        reason: FailReason,
        /// More about it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<String>,
    },
    /// The rider got on with the round, without a delivery yet.
    NoteProgress {
        /// Which stop it is about.
        customer: CustomerId,
        /// How far the rider got.
        progress: Progress,
    },
    /// A customer whom the rider met on the way. The id must be a new one.
    AddCustomer {
        /// The customer's id, made on the device.
        customer: CustomerId,
        /// The profile; at least a name.
        fields: BTreeMap<Field, String>,
        /// The route that the customer becomes the last stop of.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        route: Option<RouteId>,
    },
    /// The rider's working day begins. A shift still open ends with it.
    StartShift {
        /// The route that the rider means to work through.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        route: Option<RouteId>,
    },
    /// The rider's working day ends.
    FinishShift {},
    /// Bottles were loaded at the plant.
    LoadStock {
        /// Bottles by product; at least one line.
        lines: Vec<StockLine>,
    },
    /// Bottles were given back to the plant.
    ReturnStock {
        /// Bottles by product; at least one line.
        lines: Vec<StockLine>,
    },
    /// The rider handed collected cash to the plant.
    HandInCash {
        /// How much, more than zero.
        amount: Money,
        /// For example a receipt's number.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<String>,
    },
    /// An earlier record of the same account is taken back. Its effect is reversed, never deleted.
    Withdraw {
        /// The earlier mutation. One that was not accepted is closed.
        target: TxnId,
        /// Why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
        /// For a profile's update: the values that stood there before, where they still were the update's.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        restore: Option<Edit>,
    },
    /// The author has seen that an earlier record was not accepted, and leaves it at that.
    Accept {
        /// The mutation that was not accepted.
        target: TxnId,
    },
    /// A manager put an amount on a customer's ledger.
    AdjustBalance {
        /// Whose ledger.
        customer: CustomerId,
        /// The signed amount, not zero: positive means the customer owes more.
        amount: Money,
        /// Why, for the ledger's readers.
        reason: String,
    },
    /// A manager set a customer's balance. What is put on the ledger is the difference to the balance that the
    /// manager saw, so that a payment still on its way is not undone.
    SetBalance {
        /// Whose ledger.
        customer: CustomerId,
        /// The balance that the manager saw.
        seen: Money,
        /// The balance that he wants instead.
        target: Money,
        /// Why, for the ledger's readers.
        reason: String,
    },
}

/// The kinds that this version knows, as they stand on the wire.
pub const KINDS: [&str; 15] = [
    "confirm_delivery",
    "collect_cash",
    "update_profile",
    "fail_delivery",
    "note_progress",
    "add_customer",
    "start_shift",
    "finish_shift",
    "load_stock",
    "return_stock",
    "hand_in_cash",
    "withdraw",
    "accept",
    "adjust_balance",
    "set_balance",
];

/// Bottles of one product, handed over and taken back.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct DeliveryLine {
    /// Which product.
    pub product: ProductCode,
    /// Full bottles handed over, 0 to [`MAX_BOTTLES`].
    pub delivered: i32,
    /// Empty bottles taken back, 0 to [`MAX_BOTTLES`].
    pub empties: i32,
    /// What one full bottle cost at that moment, in minor units, 0 to [`MAX_MINOR`].
    pub unit_price: i64,
}

/// Bottles of one product, between the plant and the rider's vehicle.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct StockLine {
    /// Which product.
    pub product: ProductCode,
    /// Full bottles, 0 to [`MAX_BOTTLES`].
    pub full: i32,
    /// Empty bottles, 0 to [`MAX_BOTTLES`].
    pub empty: i32,
}

/// A photo that belongs to a mutation. It is sent on its own, after the mutation.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Photo {
    /// SHA-256 of the file: its name and its check.
    pub hash: PhotoHash,
    /// The file's size in bytes, 1 to [`MAX_PHOTO`].
    pub bytes: u64,
}

/// New values for fields of a profile, with what their writer had seen.
///
/// ```
/// use carboy_protocol::{Edit, Field, Profile};
/// let seen = Profile::default(); // what the writer's screen shows
/// let changes = [(Field::Phone, "0711".to_owned())].into();
/// let edit = Edit { changes, context: seen.clock(), lamport: seen.next_lamport() };
/// assert_eq!(edit.lamport, 1);
/// ```
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Edit {
    /// The new values; at least one.
    pub changes: BTreeMap<Field, String>,
    /// The server's clock of the profile as the writer had seen it. What the writer's own history holds before
    /// this mutation counts as seen too and is not repeated here.
    pub context: VectorClock,
    /// One more than the greatest Lamport counter of the profile that the writer had seen.
    pub lamport: u64,
}

/// How far a rider got with a stop.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Progress {
    /// The rider is on the way there.
    OnTheWay,
    /// The rider is there.
    Arrived,
    /// The rider passes over it this time.
    Skipped,
}

/// Why a delivery failed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum FailReason {
    /// The shop was closed.
    Closed,
    /// Nobody was there.
    Absent,
    /// The customer did not want it.
    Refused,
    /// The place could not be reached.
    NoAccess,
    /// The rider had not enough stock left.
    NoStock,
    /// Something else, told in the note.
    Other,
}

/// How a stop stands: what the last record about it says.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum StopState {
    /// The rider is on the way there.
    OnTheWay,
    /// The rider is there.
    Arrived,
    /// Bottles were handed over.
    Delivered,
    /// It was visited in vain.
    Failed,
    /// It was passed over.
    Skipped,
}

impl StopState {
    /// Whether the rider is done with the stop.
    pub const fn is_done(self) -> bool {
        matches!(self, Self::Delivered | Self::Failed | Self::Skipped)
    }
}

impl Action {
    /// The kind as it stands on the wire.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::ConfirmDelivery { .. } => "confirm_delivery",
            Self::CollectCash { .. } => "collect_cash",
            Self::UpdateProfile { .. } => "update_profile",
            Self::FailDelivery { .. } => "fail_delivery",
            Self::NoteProgress { .. } => "note_progress",
            Self::AddCustomer { .. } => "add_customer",
            Self::StartShift { .. } => "start_shift",
            Self::FinishShift {} => "finish_shift",
            Self::LoadStock { .. } => "load_stock",
            Self::ReturnStock { .. } => "return_stock",
            Self::HandInCash { .. } => "hand_in_cash",
            Self::Withdraw { .. } => "withdraw",
            Self::Accept { .. } => "accept",
            Self::AdjustBalance { .. } => "adjust_balance",
            Self::SetBalance { .. } => "set_balance",
        }
    }

    /// The customer it is about, if it is about one and says so itself.
    pub fn customer(&self) -> Option<CustomerId> {
        match self {
            Self::ConfirmDelivery { customer, .. }
            | Self::CollectCash { customer, .. }
            | Self::UpdateProfile { customer, .. }
            | Self::FailDelivery { customer, .. }
            | Self::NoteProgress { customer, .. }
            | Self::AddCustomer { customer, .. }
            | Self::AdjustBalance { customer, .. }
            | Self::SetBalance { customer, .. } => Some(*customer),
            Self::StartShift { .. }
            | Self::FinishShift {}
            | Self::LoadStock { .. }
            | Self::ReturnStock { .. }
            | Self::HandInCash { .. }
            | Self::Withdraw { .. }
            | Self::Accept { .. } => None,
        }
    }

    /// Whether only a manager may do it.
    pub fn needs_manager(&self) -> bool {
        matches!(self, Self::AdjustBalance { .. } | Self::SetBalance { .. })
    }

    /// The earlier mutation that it is about.
    pub fn target(&self) -> Option<TxnId> {
        match self {
            Self::Withdraw { target, .. } | Self::Accept { target } => Some(*target),
            _ => None,
        }
    }

    /// Whether a later mutation can take it back. A reversal itself cannot be reversed: record it again.
    ///
    /// ```
    /// use carboy_protocol::{Action, TxnId};
    /// let start = Action::StartShift { route: None };
    /// assert!(start.is_reversible() && !start.needs_manager());
    /// let target = TxnId::from_bytes([1; 16]);
    /// let reversal = Action::Withdraw { target, reason: None, restore: None };
    /// assert!(!reversal.is_reversible());
    /// assert_eq!((reversal.kind(), reversal.target()), ("withdraw", Some(target)));
    /// ```
    pub fn is_reversible(&self) -> bool {
        self.target().is_none() && !self.needs_manager()
    }

    /// How its stop stands after it.
    ///
    /// ```
    /// use carboy_protocol::{Action, CustomerId, Progress, StopState};
    /// let customer = CustomerId::from_bytes([1; 16]);
    /// let skipped = Action::NoteProgress { customer, progress: Progress::Skipped };
    /// assert_eq!(skipped.stop_state(), Some(StopState::Skipped));
    /// assert!(StopState::Skipped.is_done());
    /// ```
    pub fn stop_state(&self) -> Option<StopState> {
        match self {
            Self::ConfirmDelivery { .. } => Some(StopState::Delivered),
            Self::FailDelivery { .. } => Some(StopState::Failed),
            Self::NoteProgress { progress, .. } => Some(match progress {
                Progress::OnTheWay => StopState::OnTheWay,
                Progress::Arrived => StopState::Arrived,
                Progress::Skipped => StopState::Skipped,
            }),
            _ => None,
        }
    }

    /// What it puts on the customer's ledger: positive means the customer owes more. `None` for actions that do
    /// not touch the ledger.
    ///
    /// # Errors
    /// [`MoneyError`] if the amounts do not add up.
    ///
    /// ```
    /// use carboy_protocol::{Action, CustomerId, Money};
    /// let (customer, currency) = (CustomerId::from_bytes([1; 16]), "KES".parse()?);
    /// let (seen, target) = (Money::new(10_000, currency), Money::new(12_000, currency));
    /// let set = Action::SetBalance { customer, seen, target, reason: "a bottle was forgotten".into() };
    /// assert_eq!(set.ledger_amount()?, Some(Money::new(2_000, currency)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn ledger_amount(&self) -> Result<Option<Money>, MoneyError> {
        match self {
            Self::ConfirmDelivery { lines, currency, .. } => {
                let total = lines.iter().try_fold(Money::new(0, *currency), |sum, line| {
                    let price = line.unit_price.checked_mul(i64::from(line.delivered)).ok_or(
                        MoneyError::Overflow { left: line.unit_price, right: i64::from(line.delivered) },
                    )?;
                    sum.plus(Money::new(price, *currency))
                })?;
                Ok(Some(total))
            }
            Self::CollectCash { amount, .. } => Money::new(0, amount.currency).minus(*amount).map(Some),
            Self::AdjustBalance { amount, .. } => Ok(Some(*amount)),
            Self::SetBalance { seen, target, .. } => target.minus(*seen).map(Some),
            _ => Ok(None),
        }
    }

    /// The currency of its amounts, if it has any: it has to be the plant's.
    pub fn currency(&self) -> Option<Currency> {
        match self {
            Self::ConfirmDelivery { currency, .. } => Some(*currency),
            Self::CollectCash { amount, .. }
            | Self::HandInCash { amount, .. }
            | Self::AdjustBalance { amount, .. } => Some(amount.currency),
            Self::SetBalance { target, .. } => Some(target.currency),
            _ => None,
        }
    }

    /// Checks every value against its range. Whether the customer exists, and whether the currency is the
    /// plant's, only a store can tell.
    ///
    /// # Errors
    /// [`Invalid`], with the value that is wrong.
    ///
    /// ```
    /// use carboy_protocol::{Action, CustomerId, Money};
    /// let customer = CustomerId::from_bytes([1; 16]);
    /// let nothing = Action::CollectCash { customer, amount: Money::new(0, "KES".parse()?) };
    /// assert!(nothing.validate().is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn validate(&self) -> Result<(), Invalid> {
        match self {
            Self::ConfirmDelivery { lines, proof, photos, .. } => {
                delivery_lines(lines)?;
                optional_text("proof", proof.as_deref())?;
                attached(photos)?;
            }
            Self::CollectCash { amount, .. } => amount_in("cash", amount.minor, 1)?,
            Self::UpdateProfile { edit, .. } => edited(edit)?,
            Self::FailDelivery { note, .. } => optional_text("note", note.as_deref())?,
            Self::AddCustomer { fields, .. } => {
                // Every customer has a name; the other fields may be empty or absent.
                text(Field::Name.name(), fields.get(&Field::Name).map_or("", String::as_str), 1)?;
                values(fields)?;
            }
            Self::LoadStock { lines } | Self::ReturnStock { lines } => stock_lines(lines)?,
            Self::HandInCash { amount, note } => {
                amount_in("cash", amount.minor, 1)?;
                optional_text("note", note.as_deref())?;
            }
            Self::Withdraw { reason, restore, .. } => {
                optional_text("reason", reason.as_deref())?;
                restore.as_ref().map_or(Ok(()), edited)?;
            }
            Self::AdjustBalance { amount, reason, .. } => {
                if amount.minor == 0 {
                    return Err(Invalid::Amount { what: "adjustment", minor: 0 });
                }
                amount_in("adjustment", amount.minor, -MAX_MINOR)?;
                text("reason", reason, 1)?;
            }
            Self::SetBalance { seen, target, reason, .. } => {
                // A balance is a sum of many amounts, so what was seen may be larger than one amount.
                amount_in("balance", target.minor, -MAX_MINOR)?;
                amount_in("difference", target.minus(*seen)?.minor, -2 * MAX_MINOR)?;
                text("reason", reason, 1)?;
            }
            Self::NoteProgress { .. }
            | Self::StartShift { .. }
            | Self::FinishShift {}
            | Self::Accept { .. } => {}
        }
        self.ledger_amount()?;
        Ok(())
    }
}

fn delivery_lines(lines: &[DeliveryLine]) -> Result<(), Invalid> {
    for line in lines {
        bottles("bottles delivered", line.delivered)?;
        bottles("empties", line.empties)?;
        amount_in("unit price", line.unit_price, 0)?;
    }
    let any = lines.iter().any(|line| line.delivered > 0 || line.empties > 0);
    line_count("a delivery", lines.len(), any)
}

fn stock_lines(lines: &[StockLine]) -> Result<(), Invalid> {
    for line in lines {
        bottles("full bottles", line.full)?;
        bottles("empties", line.empty)?;
    }
    line_count("a stock record", lines.len(), lines.iter().any(|line| line.full > 0 || line.empty > 0))
}

fn bottles(what: &'static str, value: i32) -> Result<(), Invalid> {
    if (0..=MAX_BOTTLES).contains(&value) { Ok(()) } else { Err(Invalid::Bottles { what, value }) }
}

fn line_count(what: &'static str, count: usize, any_bottle: bool) -> Result<(), Invalid> {
    if any_bottle && count <= MAX_LINES { Ok(()) } else { Err(Invalid::Lines { what, count }) }
}

fn attached(photos: &[Photo]) -> Result<(), Invalid> {
    if photos.len() > MAX_PHOTOS {
        return Err(Invalid::Photos(photos.len()));
    }
    match photos.iter().find(|photo| !(1..=MAX_PHOTO).contains(&photo.bytes)) {
        Some(photo) => Err(Invalid::PhotoSize(photo.bytes)),
        None => Ok(()),
    }
}

fn edited(edit: &Edit) -> Result<(), Invalid> {
    if edit.changes.is_empty() { Err(Invalid::NoChanges) } else { values(&edit.changes) }
}

fn values(fields: &BTreeMap<Field, String>) -> Result<(), Invalid> {
    for (field, value) in fields {
        text(field.name(), value, usize::from(*field == Field::Name))?;
    }
    Ok(())
}

fn amount_in(what: &'static str, minor: i64, min: i64) -> Result<(), Invalid> {
    if (min..=MAX_MINOR).contains(&minor) { Ok(()) } else { Err(Invalid::Amount { what, minor }) }
}

fn text(what: &'static str, value: &str, min: usize) -> Result<(), Invalid> {
    if value.contains('\0') {
        return Err(Invalid::Nul(what));
    }
    // Blanks are no text, but they take room.
    let (length, told) = (value.chars().count(), value.trim().chars().count());
    if length > MAX_TEXT {
        return Err(Invalid::Text { what, length, min });
    }
    if told < min { Err(Invalid::Text { what, length: told, min }) } else { Ok(()) }
}

fn optional_text(what: &'static str, value: Option<&str>) -> Result<(), Invalid> {
    value.map_or(Ok(()), |value| text(what, value, 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CUSTOMER: CustomerId = CustomerId::from_bytes([1; 16]);
    const TARGET: TxnId = TxnId::from_bytes([2; 16]);

    fn money(minor: i64, currency: &str) -> Money {
        Money::new(minor, currency.parse().unwrap())
    }

    fn kes(minor: i64) -> Money {
        money(minor, "KES")
    }

    fn handed(delivered: i32, empties: i32) -> DeliveryLine {
        DeliveryLine { product: "20L".parse().unwrap(), delivered, empties, unit_price: 100 }
    }

    fn delivery(lines: Vec<DeliveryLine>, photos: Vec<Photo>) -> Action {
        let currency = "KES".parse().unwrap();
        Action::ConfirmDelivery { customer: CUSTOMER, lines, currency, proof: None, photos }
    }

    fn stock(full: i32, empty: i32) -> Vec<StockLine> {
        vec![StockLine { product: "20L".parse().unwrap(), full, empty }]
    }

    fn photo(bytes: u64) -> Photo {
        Photo { hash: PhotoHash::of(b"x"), bytes }
    }

    fn edit(field: Field, value: &str) -> Edit {
        Edit { changes: [(field, value.to_owned())].into(), context: VectorClock::new(), lamport: 1 }
    }

    fn progress(progress: Progress) -> Action {
        Action::NoteProgress { customer: CUSTOMER, progress }
    }

    fn failed(note: Option<&str>) -> Action {
        let note = note.map(str::to_owned);
        Action::FailDelivery { customer: CUSTOMER, reason: FailReason::Other, note }
    }

    fn added(fields: &[(Field, &str)]) -> Action {
        let fields = fields.iter().map(|(field, value)| (*field, (*value).to_owned())).collect();
        Action::AddCustomer { customer: CUSTOMER, fields, route: None }
    }

    fn withdrawn(reason: Option<&str>, restore: Option<Edit>) -> Action {
        Action::Withdraw { target: TARGET, reason: reason.map(str::to_owned), restore }
    }

    fn adjusted(minor: i64, reason: &str) -> Action {
        Action::AdjustBalance { customer: CUSTOMER, amount: kes(minor), reason: reason.to_owned() }
    }

    fn set(seen: i64, target: i64, reason: &str) -> Action {
        let (seen, target) = (kes(seen), kes(target));
        Action::SetBalance { customer: CUSTOMER, seen, target, reason: reason.to_owned() }
    }

    /// One of each kind, in the order of [`KINDS`].
    fn each() -> [Action; 15] {
        [
            delivery(vec![handed(2, 1)], vec![]),
            Action::CollectCash { customer: CUSTOMER, amount: kes(70) },
            Action::UpdateProfile { customer: CUSTOMER, edit: edit(Field::Phone, "0711") },
            failed(None),
            progress(Progress::Arrived),
            added(&[(Field::Name, "Kiosk")]),
            Action::StartShift { route: None },
            Action::FinishShift {},
            Action::LoadStock { lines: stock(1, 0) },
            Action::ReturnStock { lines: stock(0, 1) },
            Action::HandInCash { amount: kes(60), note: None },
            withdrawn(None, None),
            Action::Accept { target: TARGET },
            adjusted(5, "a bottle was forgotten"),
            set(100, 130, "agreed"),
        ]
    }

    /// What `of` gives for each kind: nothing but for those named.
    fn assert_only<T: PartialEq + std::fmt::Debug>(
        of: impl Fn(&Action) -> T,
        named: &[(&str, T)],
        else_: &T,
    ) {
        for action in each() {
            let expected = named.iter().find(|(kind, _)| *kind == action.kind()).map_or(else_, |(_, it)| it);
            assert_eq!(of(&action), *expected, "{}", action.kind());
        }
    }

    #[test]
    fn each_kind_has_the_name_that_it_has_on_the_wire() {
        for (action, kind) in each().iter().zip(KINDS) {
            assert_eq!(action.kind(), kind);
            assert_eq!(serde_json::to_value(action).unwrap()["kind"], kind);
        }
    }

    #[test]
    fn a_record_is_about_the_customer_or_the_record_that_it_names() {
        let none = [
            "start_shift",
            "finish_shift",
            "load_stock",
            "return_stock",
            "hand_in_cash",
            "withdraw",
            "accept",
        ];
        assert_only(Action::customer, &none.map(|kind| (kind, None)), &Some(CUSTOMER));
        assert_only(Action::target, &[("withdraw", Some(TARGET)), ("accept", Some(TARGET))], &None);
    }

    #[test]
    fn only_balances_need_a_manager_and_neither_they_nor_reversals_are_reversed() {
        assert_only(Action::needs_manager, &[("adjust_balance", true), ("set_balance", true)], &false);
        let never = ["adjust_balance", "set_balance", "withdraw", "accept"];
        assert_only(Action::is_reversible, &never.map(|kind| (kind, false)), &true);
    }

    #[test]
    fn a_stop_is_done_once_it_is_delivered_failed_or_skipped() {
        use StopState::{Arrived, Delivered, Failed, OnTheWay, Skipped};
        let after = [
            ("confirm_delivery", Some(Delivered)),
            ("fail_delivery", Some(Failed)),
            ("note_progress", Some(Arrived)),
        ];
        assert_only(Action::stop_state, &after, &None);
        assert_eq!(progress(Progress::OnTheWay).stop_state(), Some(OnTheWay));
        assert_eq!(progress(Progress::Skipped).stop_state(), Some(Skipped));
        let done = [OnTheWay, Arrived, Delivered, Failed, Skipped].map(StopState::is_done);
        assert_eq!(done, [false, false, true, true, true]);
    }

    #[test]
    fn only_deliveries_cash_and_balances_are_on_a_ledger() {
        let owed = |action: &Action| action.ledger_amount().unwrap().map(|amount| amount.minor);
        let expected = [
            ("confirm_delivery", Some(200)),
            ("collect_cash", Some(-70)),
            ("adjust_balance", Some(5)),
            ("set_balance", Some(30)),
        ];
        assert_only(owed, &expected, &None);
        let kes = Some("KES".parse().unwrap());
        let with = ["confirm_delivery", "collect_cash", "hand_in_cash", "adjust_balance", "set_balance"];
        assert_only(Action::currency, &with.map(|kind| (kind, kes)), &None);
    }

    #[test]
    fn values_at_the_ends_of_their_ranges_are_good() {
        let (longest, full) = ("x".repeat(MAX_TEXT), vec![handed(MAX_BOTTLES, MAX_BOTTLES); MAX_LINES]);
        for good in each() {
            assert_eq!(good.validate(), Ok(()), "{good:?}");
        }
        for good in [
            delivery(vec![handed(0, 1)], vec![]),
            delivery(vec![handed(1, 0), handed(0, 0)], vec![photo(1), photo(MAX_PHOTO)]),
            delivery(full, vec![photo(1); MAX_PHOTOS]),
            Action::LoadStock { lines: stock(0, 1) },
            Action::ReturnStock { lines: stock(1, 0) },
            failed(Some(&longest)),
            added(&[(Field::Name, "x"), (Field::Note, "")]),
            Action::UpdateProfile { customer: CUSTOMER, edit: edit(Field::Note, "") },
            withdrawn(Some("r"), Some(edit(Field::Name, "x"))),
            adjusted(-MAX_MINOR, "r"),
            adjusted(MAX_MINOR, "r"),
            set(0, -MAX_MINOR, "r"),
            // What was seen is a sum, and may be more than one amount.
            set(3 * MAX_MINOR, MAX_MINOR, "r"),
        ] {
            assert_eq!(good.validate(), Ok(()), "{good:?}");
        }
    }

    #[test]
    fn values_beyond_their_ranges_are_refused() {
        let (too_long, blank) = ("x".repeat(MAX_TEXT + 1), " ");
        let lines = |count: usize| vec![handed(1, 0); count];
        for bad in [
            delivery(vec![], vec![]),
            delivery(vec![handed(0, 0)], vec![]),
            delivery(lines(MAX_LINES + 1), vec![]),
            delivery(vec![handed(MAX_BOTTLES + 1, 0)], vec![]),
            delivery(vec![handed(1, -1)], vec![]),
            delivery(vec![DeliveryLine { unit_price: -1, ..handed(1, 0) }], vec![]),
            delivery(lines(1), vec![photo(1); MAX_PHOTOS + 1]),
            delivery(lines(1), vec![photo(1), photo(0)]),
            delivery(lines(1), vec![photo(MAX_PHOTO + 1)]),
            Action::LoadStock { lines: stock(0, 0) },
            Action::LoadStock { lines: vec![stock(1, 0).remove(0); MAX_LINES + 1] },
            Action::ReturnStock { lines: stock(1, MAX_BOTTLES + 1) },
            Action::ReturnStock { lines: stock(-1, 1) },
            Action::HandInCash { amount: kes(0), note: None },
            Action::HandInCash { amount: kes(1), note: Some(blank.into()) },
            failed(Some(&too_long)),
            failed(Some("a\0b")),
            added(&[]),
            added(&[(Field::Name, blank)]),
            added(&[(Field::Name, "x"), (Field::Note, &too_long)]),
            Action::UpdateProfile { customer: CUSTOMER, edit: edit(Field::Name, blank) },
            withdrawn(Some(blank), None),
            withdrawn(None, Some(Edit { changes: BTreeMap::new(), ..edit(Field::Name, "x") })),
            adjusted(0, "r"),
            adjusted(-MAX_MINOR - 1, "r"),
            adjusted(MAX_MINOR + 1, "r"),
            adjusted(1, blank),
            set(0, MAX_MINOR + 1, "r"),
            set(3 * MAX_MINOR + 1, MAX_MINOR, "r"),
            set(0, 1, blank),
        ] {
            assert!(bad.validate().is_err(), "{bad:?}");
        }
    }
}
