//! What a rider does. Each call is one mutation, on the phone before it returns.

use crate::{
    Carboy, CarboyError, Correction, CustomerId, DayReceipt, DeliveredLine, FailReason, Field, Keep, Money,
    Receipt, RouteId, StockLine, StopProgress, convert,
};
use std::collections::HashMap;
use std::path::Path;

#[uniffi::export]
impl Carboy {
    /// Records bottles handed over and empties taken back; the customer owes the price of the full ones. `photos` are
    /// the paths of files of at most 10 MiB, five at most; they are copied before this returns and sent after the
    /// money.
    ///
    /// Fails with `UnknownCustomer`, `UnknownProduct`, `UnreadablePhoto`; `Invalid` for numbers out of range.
    #[uniffi::method(default(proof = None, photos = []))]
    pub fn confirm_delivery(
        &self,
        customer: CustomerId,
        lines: Vec<DeliveredLine>,
        proof: Option<String>,
        photos: Vec<String>,
    ) -> Result<Receipt, CarboyError> {
        let photos: Vec<_> = photos.iter().map(Path::new).collect();
        Ok(self.engine().confirm_delivery(customer, &convert::list(lines), proof, &photos)?.into())
    }

    /// Records a delivery and the cash taken for it, both or neither: what `confirm_delivery` and then `collect_cash`
    /// record, for one tap. The receipt is the cash's.
    ///
    /// Fails as those two.
    #[uniffi::method(default(proof = None, photos = []))]
    pub fn confirm_paid_delivery(
        &self,
        customer: CustomerId,
        lines: Vec<DeliveredLine>,
        paid: Money,
        proof: Option<String>,
        photos: Vec<String>,
    ) -> Result<Receipt, CarboyError> {
        let photos: Vec<_> = photos.iter().map(Path::new).collect();
        let (lines, paid) = (convert::list(lines), paid.try_into()?);
        Ok(self.engine().confirm_paid_delivery(customer, &lines, paid, proof, &photos)?.into())
    }

    /// Records cash taken from a customer, who owes that much less.
    ///
    /// Fails with `UnknownCustomer`, `CurrencyMismatch`; `Invalid` for an amount that is not positive.
    pub fn collect_cash(&self, customer: CustomerId, amount: Money) -> Result<Receipt, CarboyError> {
        Ok(self.engine().collect_cash(customer, amount.try_into()?)?.into())
    }

    /// Records new values for fields of a customer's profile.
    ///
    /// Fails with `UnknownCustomer`; `Invalid` for no change or a text too long.
    pub fn update_profile(
        &self,
        customer: CustomerId,
        changes: HashMap<Field, String>,
    ) -> Result<Receipt, CarboyError> {
        Ok(self.engine().update_profile(customer, convert::fields(changes))?.into())
    }

    /// Records a stop visited in vain.
    ///
    /// Fails with `UnknownCustomer`; `Invalid` for a note too long.
    #[uniffi::method(default(note = None))]
    pub fn fail_delivery(
        &self,
        customer: CustomerId,
        reason: FailReason,
        note: Option<String>,
    ) -> Result<Receipt, CarboyError> {
        Ok(self.engine().fail_delivery(customer, reason.into(), note)?.into())
    }

    /// Records how far the rider got with a stop.
    ///
    /// Fails with `UnknownCustomer`.
    pub fn note_progress(
        &self,
        customer: CustomerId,
        progress: StopProgress,
    ) -> Result<Receipt, CarboyError> {
        Ok(self.engine().note_progress(customer, progress.into())?.into())
    }

    /// Adds a customer, who can be delivered to at once; with `route` as the last stop of that route.
    ///
    /// Fails with `UnknownRoute`; `Invalid` without a name or with a text too long.
    #[uniffi::method(default(route = None))]
    pub fn add_customer(
        &self,
        fields: HashMap<Field, String>,
        route: Option<RouteId>,
    ) -> Result<Receipt, CarboyError> {
        Ok(self.engine().add_customer(convert::fields(fields), route)?.into())
    }

    /// Begins the rider's working day, on `route` if one is given. The counts of the day begin anew; cash in hand and
    /// stock on board stay.
    ///
    /// Fails with `ShiftOpen`, `UnknownRoute`.
    #[uniffi::method(default(route = None))]
    pub fn start_shift(&self, route: Option<RouteId>) -> Result<DayReceipt, CarboyError> {
        Ok(self.engine().start_shift(route)?.into())
    }

    /// Ends the rider's working day.
    ///
    /// Fails with `NoShift`.
    pub fn finish_shift(&self) -> Result<DayReceipt, CarboyError> {
        Ok(self.engine().finish_shift()?.into())
    }

    /// Records bottles loaded at the plant.
    ///
    /// Fails with `UnknownProduct`; `Invalid` for numbers out of range.
    pub fn load_stock(&self, lines: Vec<StockLine>) -> Result<DayReceipt, CarboyError> {
        Ok(self.engine().load_stock(&convert::list(lines))?.into())
    }

    /// Records bottles given back to the plant.
    ///
    /// Fails with `UnknownProduct`; `Invalid` for numbers out of range.
    pub fn return_stock(&self, lines: Vec<StockLine>) -> Result<DayReceipt, CarboyError> {
        Ok(self.engine().return_stock(&convert::list(lines))?.into())
    }

    /// Records collected cash handed to the plant. `note` is for example a receipt's number.
    ///
    /// Fails with `CurrencyMismatch`; `Invalid` for an amount that is not positive or a note too long.
    #[uniffi::method(default(note = None))]
    pub fn hand_in_cash(&self, amount: Money, note: Option<String>) -> Result<DayReceipt, CarboyError> {
        Ok(self.engine().hand_in_cash(amount.try_into()?, note)?.into())
    }

    /// Takes record `id` back: its effect is reversed, and the record stays to be seen. One that was not accepted is
    /// closed, and the manager sees that.
    ///
    /// Fails with `UnknownRecord`; `NotPossible` for a record of a kind that cannot be taken back, or that was already;
    /// `Invalid` for a reason too long.
    #[uniffi::method(default(reason = None))]
    pub fn withdraw(&self, id: u64, reason: Option<String>) -> Result<DayReceipt, CarboyError> {
        Ok(self.engine().withdraw(id, reason)?.into())
    }

    /// Leaves it at that: mutation `id`, which was not accepted, stays as it is on the server, and off the attention
    /// list.
    ///
    /// Fails with `UnknownRecord` if it is not on the list.
    pub fn accept(&self, id: u64) -> Result<DayReceipt, CarboyError> {
        Ok(self.engine().accept(id)?.into())
    }

    /// Sends mutation `id`, which was not accepted, again as it is, in a new one that takes its place.
    ///
    /// Fails with `UnknownRecord` if it is not on the list, `NotPossible` if it cannot be read any more, and as its
    /// action itself.
    pub fn retry(&self, id: u64) -> Result<DayReceipt, CarboyError> {
        Ok(self.engine().retry(id)?.into())
    }

    /// Sends mutation `id`, which was not accepted, again with `correction`, in a new one that takes its place.
    ///
    /// Fails as `retry`; `NotPossible` if the correction does not fit the kind.
    pub fn resend(&self, id: u64, correction: Correction) -> Result<DayReceipt, CarboyError> {
        Ok(self.engine().resend(id, &correction.try_into()?)?.into())
    }

    /// Settles a conflict in which this rider's edit stands behind another one: a new edit that has seen both.
    ///
    /// Fails with `UnknownCustomer`; `NotPossible` if no edit of this rider stands behind another one there.
    pub fn settle_edit(
        &self,
        customer: CustomerId,
        field: Field,
        keep: Keep,
    ) -> Result<Receipt, CarboyError> {
        Ok(self.engine().settle_edit(customer, field.into(), keep.into())?.into())
    }
}
