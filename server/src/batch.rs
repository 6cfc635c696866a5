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
    /// Settles `actions` of `author` in one transaction, each by the one rule, and returns their answers in order. Each
    /// id follows from its action: what stands under it already is this action, and is answered as before.
    pub(crate) fn act_all(
        &self,
        author: Author<'_>,
        actions: &[(TxnId, Action)],
    ) -> Result<Vec<Answer>, Error> {
        let (plant, id) = (author.account.plant, author.account.id);
        let _span = tracing::info_span!("manage", account = %id).entered();
        let outcomes = self.settling(plant, |tx, pace| {
            let now = self.now();
            let mutations = actions.iter().map(|(txn, action)| Mutation {
                v: mutation::VERSION,
                txn: *txn,
                at: now,
                replaces: None,
                action: action.clone(),
            });
            let batch: Vec<_> = mutations.map(Parsed::Known).collect();
            let mut books = Books::open(tx, author, now, pace)?;
            books.look_up(&batch)?;
            let dashboard = books.plant().dashboard;
            let mut actor = tx.actor(plant, dashboard)?.unwrap_or_else(|| Actor::new(dashboard, None));
            let mut outcomes = Vec::with_capacity(actions.len());
            for parsed in batch {
                let Parsed::Known(known) = &parsed else { continue };
                if let Some(stored) = books.mutation(known.txn)? {
                    let (answer, kind) = (stored.answer.clone(), known.action.kind());
                    outcomes.push(Outcome { answer, duplicate: true, kind });
                    continue;
                }
                let body = serde_json::to_string(known)?;
                let link = Link::next(&actor, &body);
                outcomes.push(books.settle(&mut actor, &body, parsed, link)?);
            }
            books.close()?;
            tx.put_actor(plant, &actor)?;
            Ok(outcomes)
        })?;
        for outcome in &outcomes {
            self.metrics().settled(outcome);
        }
        Ok(outcomes.into_iter().map(|outcome| outcome.answer).collect())
    }
}
