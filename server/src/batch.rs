//! Many actions of a manager at once.

use crate::apply::{Link, Outcome};
use crate::books::Books;
use crate::store::Actor;
use crate::who::Author;
use crate::{Error, Server};
use carboy_protocol::mutation::{self, Parsed};
use carboy_protocol::wire::Answer;
use carboy_protocol::{Action, Mutation, TxnId};

impl Server {
    /// Settles rows of actions of `author` in one transaction, each action by the one rule. What stands under an id
    /// already is what was meant by it, and is answered as before. A row's actions build on each other: behind one that
    /// is rejected, the rest of its row is left out. Returns each row's last answer; none of an empty row.
    pub(crate) fn act_all(
        &self,
        author: Author<'_>,
        rows: &[&[(TxnId, Action)]],
    ) -> Result<Vec<Option<Answer>>, Error> {
        let (plant, id) = (author.account.plant, author.account.id);
        let _span = tracing::info_span!("manage", account = %id).entered();
        let outcomes = self.settling(plant, |tx, pace| {
            let now = self.now();
            let mutation = |(txn, action): &(TxnId, Action)| {
                let (v, action) = (mutation::VERSION, action.clone());
                Parsed::Known(Mutation { v, txn: *txn, at: now, replaces: None, action })
            };
            let batch: Vec<_> = rows.iter().copied().flatten().map(mutation).collect();
            let mut books = Books::open(tx, author, now, pace)?;
            books.look_up(&batch)?;
            let dashboard = books.plant().dashboard;
            let mut actor = tx.actor(plant, dashboard)?.unwrap_or_else(|| Actor::new(dashboard, None));
            let mut batch = batch.into_iter();
            let mut outcomes = Vec::with_capacity(rows.len());
            for row in rows {
                let mut of_row: Vec<Outcome> = Vec::with_capacity(row.len());
                for parsed in batch.by_ref().take(row.len()) {
                    if !of_row.last().is_some_and(|outcome| matches!(outcome.answer, Answer::Rejected { .. }))
                    {
                        of_row.extend(settled(&mut books, &mut actor, parsed)?);
                    }
                }
                outcomes.push(of_row);
            }
            books.close()?;
            tx.put_actor(plant, &actor)?;
            Ok(outcomes)
        })?;
        for outcome in outcomes.iter().flatten() {
            self.metrics().settled(outcome);
        }
        Ok(outcomes.into_iter().map(|mut row| row.pop().map(|outcome| outcome.answer)).collect())
    }
}

/// Settles a mutation of the dashboard's, or answers as before.
fn settled(books: &mut Books<'_>, actor: &mut Actor, parsed: Parsed) -> Result<Option<Outcome>, Error> {
    let Parsed::Known(known) = &parsed else { return Ok(None) };
    if let Some(stored) = books.mutation(known.txn)? {
        let (answer, kind) = (stored.answer.clone(), known.action.kind());
        return Ok(Some(Outcome { answer, duplicate: true, kind }));
    }
    let body = serde_json::to_string(known)?;
    let link = Link::next(actor, &body);
    books.settle(actor, &body, parsed, link).map(Some)
}
