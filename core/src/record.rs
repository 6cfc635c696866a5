//! One tap: validates, stamps, and writes the record with its effect in one transaction.

use crate::observe::Change;
use crate::store::outbox::{Entry, Recorded};
use crate::store::{Meta, Tx, outbox, overlay, photos};
use crate::{Engine, Error};
use carboy_protocol::{Action, Field, Mutation, Timestamp, TxnId, mutation};
use std::collections::BTreeMap;

/// What is to be recorded.
pub(crate) struct Draft {
    pub(crate) action: Action,
    /// The row of whom it is about.
    pub(crate) customer: Option<i64>,
    /// The record that it takes back.
    pub(crate) undoes: Option<Recorded>,
    /// What on the attention list it deals with.
    pub(crate) closes: Option<Closes>,
    /// For an update of a profile: what the fields that it changes showed before.
    pub(crate) before: Option<BTreeMap<Field, String>>,
}

/// Makes a draft from what the store holds; may be asked more than once.
pub(crate) type Drafting<'a> = dyn Fn(&Tx<'_>, &Meta) -> Result<Draft, Error> + 'a;

/// Something on the attention list that a new record deals with.
pub(crate) struct Closes {
    /// Its number there, which is the record's.
    pub(crate) id: u64,
    /// The mutation whose place the new one takes; `None` if it only closes it.
    pub(crate) replaces: Option<TxnId>,
}

/// The record that was made.
pub(crate) struct Stamp {
    pub(crate) txn: TxnId,
    pub(crate) id: u64,
    /// The row of whom it is about.
    pub(crate) customer: Option<i64>,
    /// Whether something may have left the attention list: what it closes, or an edit that stood behind another.
    may_settle_attention: bool,
}

impl Draft {
    pub(crate) fn of(action: Action) -> Self {
        Self { action, customer: None, undoes: None, closes: None, before: None }
    }

    pub(crate) fn about(row: i64, action: Action) -> Self {
        Self { customer: Some(row), ..Self::of(action) }
    }
}

impl Engine {
    /// Records what `draft` says and returns what `show` makes of it, in one transaction.
    pub(crate) fn record<T>(
        &self,
        draft: impl Fn(&Tx<'_>, &Meta) -> Result<Draft, Error>,
        show: impl Fn(&Tx<'_>, &Meta, &Stamp) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let (txn, at) = self.new_txn()?;
        self.record_as(txn, at, draft, show)
    }

    pub(crate) fn record_as<T>(
        &self,
        txn: TxnId,
        at: Timestamp,
        draft: impl Fn(&Tx<'_>, &Meta) -> Result<Draft, Error>,
        show: impl Fn(&Tx<'_>, &Meta, &Stamp) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.record_each(&[(txn, at, &draft)], show)
    }

    /// Records what both drafts say, in their order and both or neither, and returns what `show` makes of the second.
    pub(crate) fn record_both<T>(
        &self,
        [first, second]: [&Drafting<'_>; 2],
        show: impl Fn(&Tx<'_>, &Meta, &Stamp) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let [(earlier, at), (later, then)] = [self.new_txn()?, self.new_txn()?];
        self.record_each(&[(earlier, at, first), (later, then, second)], show)
    }

    fn record_each<T>(
        &self,
        drafts: &[(TxnId, Timestamp, &Drafting<'_>)],
        show: impl Fn(&Tx<'_>, &Meta, &Stamp) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let (stamps, shown) = self.store.write_tap(|tx| {
            let mut meta = Meta::read(tx)?;
            let mut stamps = Vec::with_capacity(drafts.len());
            for (txn, at, draft) in drafts {
                let span = tracing::info_span!("record", txn_id = %txn);
                let _entered = span.enter();
                let draft = draft(tx, &meta)?;
                stamps.push(write(tx, &mut meta, *txn, *at, draft)?);
            }
            let last = stamps.last().ok_or_else(|| Error::Store("nothing is to be recorded".into()))?;
            let shown = show(tx, &meta, last)?;
            Ok((stamps, shown))
        })?;
        for stamp in &stamps {
            tracing::debug!(txn_id = %stamp.txn, id = stamp.id, "recorded");
        }
        self.signal.raise(&[Change::Day, Change::Outbox, Change::Status]);
        if stamps.iter().any(|stamp| stamp.customer.is_some()) {
            self.signal.raise(&[Change::Customers]);
        }
        if stamps.iter().any(|stamp| stamp.may_settle_attention) {
            self.signal.raise(&[Change::Attention]);
        }
        self.signal.wake_drainer();
        Ok(shown)
    }
}

fn write(tx: &Tx<'_>, meta: &mut Meta, txn: TxnId, at: Timestamp, draft: Draft) -> Result<Stamp, Error> {
    let Draft { action, customer: row, undoes, closes, before } = draft;
    action.validate()?;
    if let Some(given) = action.currency().filter(|&given| given != meta.currency) {
        return Err(Error::CurrencyMismatch { given, expected: meta.currency });
    }
    let amount = match &undoes {
        Some(target) => target.amount.saturating_neg(),
        None => action.ledger_amount().map_err(mutation::Invalid::from)?.map_or(0, |money| money.minor),
    };
    let replaces = closes.as_ref().and_then(|closes| closes.replaces);
    let mutation = Mutation { v: mutation::VERSION, txn, at, replaces, action };
    let entry = Entry { mutation: &mutation, customer: row, amount, undoes, before };
    outbox::append(tx, meta, &entry)?;
    #[cfg(feature = "planted")]
    if carboy_protocol::planted::is(carboy_protocol::planted::Bug::CommitApart) {
        meta.save(tx)?;
        tx.execute_batch("COMMIT; BEGIN IMMEDIATE")?;
    }
    overlay::lay(tx, meta, &entry)?;
    let id = meta.last_id;
    if let Some(closes) = &closes {
        tx.prepare_cached("DELETE FROM attention WHERE id = ?")?.execute([closes.id])?;
        photos::hand_over(tx, closes.id, closes.replaces.map(|_| id))?;
    } else if let Action::ConfirmDelivery { photos, .. } = &mutation.action {
        photos::attach(tx, id, photos)?;
    }
    meta.save(tx)?;
    let may_settle_attention = closes.is_some() || entry.is_profile_update();
    Ok(Stamp { txn, id, customer: row, may_settle_attention })
}
