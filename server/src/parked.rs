//! Mutations of kinds that a former version did not know: settled once this version knows them.

use crate::books::{Books, Pace};
use crate::store::{Actor, Parked, Stored, Tx};
use crate::{Error, Server};
use carboy_protocol::{AccountId, Dot, PlantId, VectorClock};

/// How many parked mutations are read at a time.
const CHUNK: u64 = 500;

impl Server {
    /// Settles what is parked and known to this version, in every plant and in the order of arrival; returns how many
    /// mutations that were. To be called when an updated server starts; any number of servers may do so at once.
    ///
    /// # Errors
    /// If the database fails. What was settled before stays so.
    pub fn settle_parked(&self) -> Result<u64, Error> {
        let mut count = 0;
        for plant in self.store().read(|tx| tx.plants())? {
            let mut last = None;
            loop {
                let parked = self.store().read(|tx| tx.parked(plant, last, CHUNK))?;
                for Parked { account, stored, .. } in &parked {
                    let is_settled = self
                        .settling(plant, |tx, pace| self.settle_one(tx, (plant, *account), stored, pace))?;
                    count += u64::from(is_settled);
                }
                let Some(parked) = parked.last() else { break };
                last = Some((parked.received_at, parked.stored.dot));
            }
        }
        Ok(count)
    }

    fn settle_one(
        &self,
        tx: &Tx<'_>,
        (plant, account): (PlantId, AccountId),
        parked: &Stored,
        pace: Pace,
    ) -> Result<bool, Error> {
        // Another server may have been quicker.
        if !tx.is_parked(plant, (account, parked.txn))? {
            return Ok(false);
        }
        let author = tx.account(plant, account)?.ok_or(Error::NotFound("account"))?;
        let mut books = Books::open(tx, &author, self.now(), pace)?;
        let id = books.plant().dashboard;
        let dashboard = tx.actor(plant, id)?.unwrap_or_else(|| Actor::new(id, None));
        let mut event = Actor { inherited: history(tx, plant, parked.dot)?, ..dashboard.clone() };
        let answer = books.settle_parked(&mut event, parked)?;
        books.close()?;
        tx.put_actor(plant, &Actor { inherited: dashboard.inherited, ..event })?;
        Ok(answer.is_some())
    }
}

/// What its author had seen of his own history when he recorded the mutation at `dot`.
fn history(tx: &Tx<'_>, plant: PlantId, dot: Dot) -> Result<VectorClock, Error> {
    let mut seen = tx.actor(plant, dot.actor)?.map(|actor| actor.inherited).unwrap_or_default();
    seen.observe(Dot { seq: dot.seq - 1, ..dot });
    Ok(seen)
}
