//! The one row that says whose file this is and where its history stands.

use super::{Tx, bytes, new_actor};
use crate::{Error, Identity, Random};
use carboy_protocol::{AccountId, ActorId, ChainHash, Currency, Day, Dot, PlantId, Shift, Tally, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, params};

/// Where this file's history stands.
#[derive(Debug, Clone)]
pub(crate) struct Meta {
    pub(crate) plant: PlantId,
    pub(crate) account: AccountId,
    pub(crate) currency: Currency,
    pub(crate) actor: ActorId,
    pub(crate) base: u64,
    pub(crate) parent: Option<Dot>,
    /// The last id given.
    pub(crate) last_id: u64,
    /// The last id settled.
    pub(crate) settled_id: u64,
    /// The chain's hash behind the last id given.
    pub(crate) head: ChainHash,
    pub(crate) cursor: u64,
    pub(crate) pending_bytes: u64,
    pub(crate) last_contact: Option<Timestamp>,
    /// The shift that screens show, and the last record that changed it.
    pub(crate) shift: Option<Shift>,
    pub(crate) shift_id: u64,
    /// The last record that began a shift.
    pub(crate) since: u64,
    /// What the outbox counts: since the shift began, and in all.
    pub(crate) laid_in_shift: Tally,
    pub(crate) laid_in_all: Tally,
}

impl Meta {
    pub(crate) fn read(tx: &Tx<'_>) -> Result<Self, Error> {
        Self::find(tx)?.ok_or_else(|| Error::Damaged("no meta row".into()))
    }

    fn find(tx: &Tx<'_>) -> Result<Option<Self>, Error> {
        let mut query = tx.prepare_cached(
            "SELECT plant, account, currency, actor, base, parent_actor, parent_seq, last_id, settled_id, head,
                    cursor, pending_bytes, last_contact, shift, shift_id, since, laid_in_shift, laid_in_all
             FROM meta",
        )?;
        let row = query.query_row([], |row| Ok(Self::from_row(row))).optional()?;
        row.transpose()?.map(Self::checked).transpose()
    }

    /// The numbers that are subtracted from each other are in their order, whatever has become of the file.
    fn checked(self) -> Result<Self, Error> {
        let Self { base, settled_id, last_id, .. } = self;
        if base <= settled_id && settled_id <= last_id {
            return Ok(self);
        }
        Err(Error::Damaged(format!("base {base}, settled {settled_id}, last {last_id}")))
    }

    /// No record lies where the next one is to go.
    fn check_last(&self, tx: &Tx<'_>) -> Result<(), Error> {
        let mut query = tx.prepare_cached("SELECT EXISTS (SELECT 1 FROM record WHERE id > ?)")?;
        if query.query_row([self.last_id], |row| row.get(0))? {
            return Err(Error::Damaged(format!("records behind the last, {}", self.last_id)));
        }
        Ok(())
    }

    fn from_row(row: &Row<'_>) -> Result<Self, Error> {
        let parent = match (row.get(5)?, row.get(6)?) {
            (Some(actor), Some(seq)) => Some(Dot { actor: ActorId::from_bytes(actor), seq }),
            _ => None,
        };
        let currency: String = row.get(2)?;
        let damaged = |error: carboy_protocol::MoneyError| Error::Damaged(error.to_string());
        let laid_in_all: Tally = serde_json::from_slice(bytes(row, 17)?)?;
        // They differ only while records of an earlier shift wait.
        let is_same = bytes(row, 16)? == bytes(row, 17)?;
        let laid_in_shift =
            if is_same { laid_in_all.clone() } else { serde_json::from_slice(bytes(row, 16)?)? };
        Ok(Self {
            plant: PlantId::from_bytes(row.get(0)?),
            account: AccountId::from_bytes(row.get(1)?),
            currency: currency.parse().map_err(damaged)?,
            actor: ActorId::from_bytes(row.get(3)?),
            base: row.get(4)?,
            parent,
            last_id: row.get(7)?,
            settled_id: row.get(8)?,
            head: ChainHash(row.get(9)?),
            cursor: row.get(10)?,
            pending_bytes: row.get(11)?,
            last_contact: row.get::<_, Option<i64>>(12)?.map(Timestamp),
            shift: serde_json::from_slice(bytes(row, 13)?)?,
            shift_id: row.get(14)?,
            since: row.get(15)?,
            laid_in_shift,
            laid_in_all,
        })
    }

    /// Writes back what can change; the identity cannot.
    pub(crate) fn save(&self, tx: &Tx<'_>) -> Result<(), Error> {
        let laid_in_all = serde_json::to_string(&self.laid_in_all)?;
        let laid_in_shift = if self.laid_in_shift == self.laid_in_all {
            laid_in_all.clone()
        } else {
            serde_json::to_string(&self.laid_in_shift)?
        };
        tx.prepare_cached(
            "UPDATE meta SET actor = ?, base = ?, parent_actor = ?, parent_seq = ?, last_id = ?, settled_id = ?,
                 head = ?, cursor = ?, pending_bytes = ?, last_contact = ?, shift = ?, shift_id = ?, since = ?,
                 laid_in_shift = ?, laid_in_all = ?",
        )?
        .execute(params![
            self.actor.as_bytes(),
            self.base,
            self.parent.map(|parent| *parent.actor.as_bytes()),
            self.parent.map(|parent| parent.seq),
            self.last_id,
            self.settled_id,
            self.head.0,
            self.cursor,
            self.pending_bytes,
            self.last_contact.map(|at| at.0),
            serde_json::to_string(&self.shift)?,
            self.shift_id,
            self.since,
            laid_in_shift,
            laid_in_all,
        ])?;
        Ok(())
    }

    /// The place in the actor's history of the record with this id.
    pub(crate) fn seq(&self, id: u64) -> u64 {
        id - self.base
    }

    /// How many mutations the server has not settled.
    pub(crate) fn pending(&self) -> u64 {
        self.last_id - self.settled_id
    }
}

/// The rider's day as the server told it.
pub(crate) fn told_day(tx: &Tx<'_>) -> Result<Day, Error> {
    let mut query = tx.prepare_cached("SELECT day FROM day")?;
    let day = query.query_row([], |row| Ok(serde_json::from_slice(bytes(row, 0)?))).optional()?;
    Ok(day.transpose()?.unwrap_or_default())
}

pub(crate) fn put_told_day(tx: &Tx<'_>, day: &Day) -> Result<(), Error> {
    tx.prepare_cached("INSERT OR REPLACE INTO day (one, day) VALUES (1, ?)")?
        .execute([serde_json::to_string(day)?])?;
    Ok(())
}

/// Makes the file `identity`'s, or checks that it is.
pub(super) fn adopt(writer: &mut Connection, identity: &Identity, random: &dyn Random) -> Result<(), Error> {
    let tx = Tx::writing(writer)?;
    match Meta::find(&tx)? {
        Some(meta) if (meta.plant, meta.account) == (identity.plant, identity.account) => {
            meta.check_last(&tx)
        }
        Some(meta) => Err(Error::WrongAccount { found: meta.account, wanted: identity.account }),
        None => {
            let actor = new_actor(random)?;
            tx.execute(
                "INSERT INTO meta (one, plant, account, currency, actor, head) VALUES (1, ?, ?, ?, ?, ?)",
                params![
                    identity.plant.as_bytes(),
                    identity.account.as_bytes(),
                    identity.currency.as_str(),
                    actor.as_bytes(),
                    ChainHash::genesis(actor).0
                ],
            )?;
            Ok(tx.commit()?)
        }
    }
}
