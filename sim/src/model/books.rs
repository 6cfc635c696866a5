//! What each mutation must do, and what the server must answer to it.

use super::registers::{Seen, Write};
use super::{Author, Counts, Customer, Effect, Intent, Known, Line, Photo, Plant, Verdict, Wrong};
use carboy_protocol::wire::Rejection;
use carboy_protocol::{
    Action, ActorId, CustomerId, Edit, Field, Mutation, PhotoHash, Role, Timestamp, TxnId,
};
use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hasher};

/// A place in a history.
pub(super) type Place = (ActorId, u64);

/// What is the same for the same bytes.
pub(super) fn digest(body: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(body.as_bytes());
    hasher.finish()
}

impl Plant {
    /// A mutation arrives: says what the server must answer, and whether it is known already. `unknown` are the kinds that
    /// the server at hand does not know yet.
    pub(super) fn settle(
        &mut self,
        author: Author,
        place: Place,
        (body, now): (&str, Timestamp),
        unknown: &[&str],
    ) -> Result<(TxnId, Verdict, bool), Wrong> {
        let mutation: Mutation =
            serde_json::from_str(body).map_err(|error| format!("unreadable: {error}: {body}"))?;
        let (txn, key) = (mutation.txn, (author.account, mutation.txn));
        let digest = digest(body);
        if let Some(known) = self.known.get(&key) {
            if known.digest != digest {
                return Err(format!("{txn} arrives with other bytes than before: {body}"));
            }
            return Ok((txn, known.verdict.clone(), true));
        }
        let intent = self.intents.remove(&key).ok_or_else(|| format!("nobody did this: {body}"))?;
        check_intent(&intent, &mutation.action)?;
        let is_parked = self.is_unknown(author, &mutation.action, unknown);
        let (verdict, effect, body) = if is_parked {
            self.parked.insert((now, place.0, place.1), (author, txn));
            self.intents.insert(key, intent);
            (Verdict::Parked, Effect::default(), Some(body.to_owned()))
        } else {
            let (verdict, effect) = self.judge(author, place, &mutation, &intent)?;
            (verdict, effect, None)
        };
        let kind = mutation.action.kind();
        self.known.insert(key, Known { digest, body, ..Known::new(kind, verdict.clone(), effect) });
        Ok((txn, verdict, false))
    }

    /// Whether a server that does not know the kinds `unknown` cannot tell what this does: it is of such a kind, or
    /// takes back what a newer server has applied of such a kind.
    fn is_unknown(&self, author: Author, action: &Action, unknown: &[&str]) -> bool {
        let taken_back = match action {
            Action::Withdraw { target, .. } => self.known.get(&(author.account, *target)),
            _ => None,
        };
        let taken_back = taken_back.filter(|known| matches!(known.verdict, Verdict::Applied(_)));
        unknown.contains(&action.kind()) || taken_back.is_some_and(|known| unknown.contains(&known.kind))
    }

    /// A manager's own mutation, of the plant's dashboard.
    ///
    /// # Errors
    /// If it is not what he did.
    pub fn manage(
        &mut self,
        author: Author,
        txn: TxnId,
        action: &Action,
        intent: &Intent,
    ) -> Result<(Verdict, bool), Wrong> {
        let key = (author.account, txn);
        if let Some(known) = self.known.get(&key) {
            return Ok((known.verdict.clone(), true));
        }
        let dashboard = self.dashboard;
        let seq = self.histories.entry(dashboard).or_default().len() as u64 + 1;
        let mutation = Mutation { v: 1, txn, at: Timestamp(0), replaces: None, action: action.clone() };
        let (verdict, effect) = self.judge(author, (dashboard, seq), &mutation, intent)?;
        self.known.insert(key, Known::new(action.kind(), verdict.clone(), effect));
        self.histories.entry(dashboard).or_default().push(txn);
        Ok((verdict, false))
    }

    /// A server that does not know the kinds `unknown` settles what was parked and what it knows; returns how many
    /// mutations that must be.
    ///
    /// # Errors
    /// If one of them cannot be read.
    pub fn unpark(&mut self, unknown: &[&str]) -> Result<u64, Wrong> {
        let mut count = 0;
        for (arrived, (author, txn)) in std::mem::take(&mut self.parked) {
            let key = (author.account, txn);
            let Some(known) = self.known.get(&key).filter(|known| !known.is_closed) else { continue };
            let body = known.body.as_ref().ok_or_else(|| format!("{txn} was parked without a body"))?;
            let mutation: Mutation = serde_json::from_str(body).map_err(|error| error.to_string())?;
            if self.is_unknown(author, &mutation.action, unknown) {
                self.parked.insert(arrived, (author, txn));
                continue;
            }
            let intent = self.intents.remove(&key).ok_or_else(|| format!("nobody did {txn}"))?;
            let seq = self.histories.entry(self.dashboard).or_default().len() as u64 + 1;
            let (verdict, effect) = self.judge(author, (self.dashboard, seq), &mutation, &intent)?;
            let rev = match verdict {
                Verdict::Applied(rev) => rev,
                _ => self.take_rev(),
            };
            self.unparked.insert(rev, key);
            self.histories.entry(self.dashboard).or_default().push(txn);
            if let Some(known) = self.known.get_mut(&key) {
                (known.verdict, known.effect, known.body) = (verdict, effect, None);
            }
            count += 1;
        }
        Ok(count)
    }

    /// What becomes of a new mutation. What it changes is changed if it is applied.
    fn judge(
        &mut self,
        author: Author,
        place: Place,
        mutation: &Mutation,
        intent: &Intent,
    ) -> Result<(Verdict, Effect), Wrong> {
        let rejected = |reason| Ok((Verdict::Rejected(reason), Effect::default()));
        let action = &mutation.action;
        // Whom it is about has to be there, and a new customer must not.
        if let Some(customer) = action.customer() {
            let is_there = self.customers.contains_key(&customer);
            match action {
                Action::AddCustomer { .. } if is_there => return rejected(Rejection::Invalid),
                Action::AddCustomer { .. } => {}
                _ if !is_there => return rejected(Rejection::UnknownCustomer),
                _ => {}
            }
        }
        let target = action.target().map(|target| (author.account, target));
        if let Some(key) = target {
            let Some(known) = self.known.get(&key) else { return rejected(Rejection::UnknownRecord) };
            let is_applied = matches!(known.verdict, Verdict::Applied(_));
            match action {
                Action::Accept { .. } if is_applied => return rejected(Rejection::NotReversible),
                Action::Withdraw { .. } if is_applied && !known.effect.is_reversible => {
                    return rejected(Rejection::NotReversible);
                }
                Action::Withdraw { .. } if known.is_withdrawn => {
                    return rejected(Rejection::AlreadyWithdrawn);
                }
                _ => {}
            }
        }
        let replaced = mutation.replaces.map(|replaced| (author.account, replaced));
        if let Some(known) = replaced.and_then(|key| self.known.get(&key))
            && matches!(known.verdict, Verdict::Applied(_))
        {
            return rejected(Rejection::NotReversible);
        }
        let rev = self.take_rev();
        if let Some(known) = replaced.and_then(|key| self.known.get_mut(&key)) {
            known.is_closed = true;
        }
        let effect = self.apply((author, place, rev), mutation, intent)?;
        Ok((Verdict::Applied(rev), effect))
    }

    fn apply(
        &mut self,
        (author, place, rev): (Author, Place, u64),
        mutation: &Mutation,
        intent: &Intent,
    ) -> Result<Effect, Wrong> {
        let (txn, action) = (mutation.txn, &mutation.action);
        if let Some(target) = action.target() {
            self.deal_with((author, place, rev), mutation, target, intent)?;
            return Ok(Effect::default());
        }
        let amount = ledger_amount(action);
        let effect = Effect {
            is_reversible: !matches!(action, Action::AdjustBalance { .. } | Action::SetBalance { .. }),
            adds_customer: matches!(action, Action::AddCustomer { .. }),
            starts_shift: matches!(action, Action::StartShift { .. }),
            finishes_shift: matches!(action, Action::FinishShift {}),
            is_visit: action.stop_state().is_some(),
            customer: action.customer(),
            amount,
            counts: Counts::of(action),
        };
        match action {
            Action::AddCustomer { customer, fields, route } => {
                self.customers.insert(*customer, Customer::default());
                let seen = Seen { lamport: 1, ..Seen::default() };
                self.write((author, place, rev), txn, (*customer, fields), &seen);
                if let Some(stops) = route.and_then(|route| self.routes.get_mut(&route)) {
                    stops.push(*customer);
                }
            }
            Action::ConfirmDelivery { photos, .. } => {
                for photo in photos {
                    let expected = Photo { bytes: photo.bytes, received: 0 };
                    self.photos.entry((author.account, photo.hash)).or_insert(expected);
                }
            }
            Action::UpdateProfile { customer, edit } => {
                let seen = seen_of(intent, edit)?;
                self.write((author, place, rev), txn, (*customer, &edit.changes), seen);
            }
            _ => {}
        }
        if let (Some(customer), Some(amount)) = (action.customer(), amount) {
            self.append(rev, customer, txn, amount);
        }
        let shift = self.days.get(&author.account).and_then(|day| day.shift).map(|(shift, _)| shift);
        if let (Some(customer), Some(state)) = (action.customer(), action.stop_state())
            && let Some(customer) = self.customers.get_mut(&customer)
        {
            customer.visit = Some((state, txn, shift));
        }
        if author.role == Role::Rider {
            let day = self.days.entry(author.account).or_default();
            match action {
                Action::StartShift { .. } => {
                    (day.since, day.shift, day.in_shift) = (rev, Some((txn, None)), Counts::default());
                }
                Action::FinishShift {} => {
                    day.shift = day.shift.map(|(shift, _)| (shift, Some(txn)));
                }
                _ => {}
            }
            day.in_shift.add(&effect.counts, 1);
            day.in_all.add(&effect.counts, 1);
        }
        Ok(effect)
    }

    /// A reversal or an acceptance.
    fn deal_with(
        &mut self,
        (author, place, rev): (Author, Place, u64),
        mutation: &Mutation,
        target: TxnId,
        intent: &Intent,
    ) -> Result<(), Wrong> {
        let Some(known) = self.known.get_mut(&(author.account, target)) else { return Ok(()) };
        let Verdict::Applied(target_rev) = known.verdict else {
            known.is_closed = true;
            return Ok(());
        };
        known.is_withdrawn = true;
        let effect = known.effect.clone();
        if let Some(id) = effect.customer {
            if let Some(amount) = effect.amount {
                self.append(rev, id, mutation.txn, -amount);
            }
            if let Some(customer) = self.customers.get_mut(&id) {
                if effect.is_visit && customer.visit.is_some_and(|(_, visit, _)| visit == target) {
                    customer.visit = None;
                }
                customer.closed |= effect.adds_customer;
            }
            if effect.adds_customer {
                self.routes.values_mut().for_each(|stops| stops.retain(|stop| *stop != id));
            }
            if let Action::Withdraw { restore: Some(edit), .. } = &mutation.action {
                let seen = seen_of(intent, edit)?;
                self.write((author, place, rev), mutation.txn, (id, &edit.changes), seen);
            }
        }
        if author.role == Role::Rider {
            let day = self.days.entry(author.account).or_default();
            if effect.starts_shift {
                day.shift = day.shift.filter(|(shift, _)| *shift != target);
            }
            if effect.finishes_shift {
                day.shift = day.shift.map(|(shift, end)| (shift, end.filter(|end| *end != target)));
            }
            if target_rev >= day.since {
                day.in_shift.add(&effect.counts, -1);
            }
            day.in_all.add(&effect.counts, -1);
        }
        Ok(())
    }

    fn write(
        &mut self,
        (author, (actor, seq), rev): (Author, Place, u64),
        txn: TxnId,
        (customer, changes): (CustomerId, &BTreeMap<Field, String>),
        seen: &Seen,
    ) {
        let Some(customer) = self.customers.get_mut(&customer) else { return };
        for (field, value) in changes {
            let write = Write {
                rev,
                txn,
                actor,
                seq,
                lamport: seen.lamport,
                role: author.role,
                author: author.account,
                value: value.clone(),
            };
            customer.registers.write(*field, write, seen);
        }
    }

    fn append(&mut self, rev: u64, customer: CustomerId, txn: TxnId, amount: i64) {
        self.ledger.push(Line { rev, customer, txn, amount });
        if let Some(customer) = self.customers.get_mut(&customer) {
            let balance = customer.balance() + amount;
            customer.balances.push((rev, balance));
        }
    }
}

/// What an action puts on its customer's ledger.
pub(crate) fn ledger_amount(action: &Action) -> Option<i64> {
    match action {
        Action::ConfirmDelivery { lines, .. } => {
            Some(lines.iter().map(|line| line.unit_price * i64::from(line.delivered)).sum())
        }
        Action::CollectCash { amount, .. } => Some(-amount.minor),
        Action::AdjustBalance { amount, .. } => Some(amount.minor),
        Action::SetBalance { seen, target, .. } => Some(target.minor - seen.minor),
        _ => None,
    }
}

fn seen_of<'i>(intent: &'i Intent, edit: &Edit) -> Result<&'i Seen, Wrong> {
    let seen = intent.seen.as_ref().ok_or_else(|| format!("nobody wrote {:?}", edit.changes))?;
    if edit.lamport == seen.lamport {
        Ok(seen)
    } else {
        Err(format!(
            "Lamport counter {} where what was seen makes it {} ({:?})",
            edit.lamport, seen.lamport, edit.changes
        ))
    }
}

/// The photos of which a mutation speaks.
pub(crate) fn hashes(action: &Action) -> Vec<PhotoHash> {
    match action {
        Action::ConfirmDelivery { photos, .. } => photos.iter().map(|photo| photo.hash).collect(),
        _ => Vec::new(),
    }
}

/// Whether what arrives is what was done.
fn check_intent(intent: &Intent, action: &Action) -> Result<(), Wrong> {
    let is_same = intent.kind == action.kind()
        && intent.target == action.target()
        && (intent.customer == action.customer() || action.target().is_some())
        && intent.amount == ledger_amount(action)
        && intent.photos == hashes(action);
    let changes = match action {
        Action::UpdateProfile { edit, .. } => Some(&edit.changes),
        Action::AddCustomer { fields, .. } => Some(fields),
        _ => None,
    };
    let wrote_the_same = intent.changes.is_none() || intent.changes.as_ref() == changes;
    if is_same && wrote_the_same {
        Ok(())
    } else {
        Err(format!("{action:?} arrives where {intent:?} was done"))
    }
}
