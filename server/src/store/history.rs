//! Histories: actors, the mutations received, and which mutation stands at which dot.

use super::changes::status;
use super::value::{ToValue, Value};
use super::{Lookup, Row, Tx, params};
use crate::Error;
use carboy_protocol::wire::Answer;
use carboy_protocol::{
    AccountId, ActorId, ChainHash, CustomerId, DeviceId, Dot, PlantId, Timestamp, TxnId, VectorClock,
};

/// One history, as far as the server has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Actor {
    pub(crate) id: ActorId,
    /// `None` for the dashboard's.
    pub(crate) account: Option<AccountId>,
    /// The phone that last spoke for it.
    pub(crate) device: Option<DeviceId>,
    pub(crate) next_seq: u64,
    /// The chain's hash behind `next_seq - 1`.
    pub(crate) head: ChainHash,
    /// What this history continues: seen by everything in it.
    pub(crate) inherited: VectorClock,
}

impl Actor {
    pub(crate) fn new(id: ActorId, account: Option<AccountId>) -> Self {
        let head = ChainHash::genesis(id);
        Self { id, account, device: None, next_seq: 1, head, inherited: VectorClock::new() }
    }
}

/// A mutation that the server has settled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stored {
    pub(crate) txn: TxnId,
    /// Where it stood when it first came.
    pub(crate) dot: Dot,
    pub(crate) body: String,
    pub(crate) answer: Answer,
    /// Whether it was applied and later taken back.
    pub(crate) is_withdrawn: bool,
}

/// A mutation that waits for a server which knows its kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Parked {
    pub(crate) account: AccountId,
    pub(crate) stored: Stored,
    pub(crate) received_at: Timestamp,
}

/// What [`stored`] reads.
const STORED: &str = "m.txn, m.actor, m.seq, m.body, m.answer, m.withdrawn_by IS NOT NULL";

impl Tx<'_> {
    pub(crate) fn actor(&self, plant: PlantId, id: ActorId) -> Result<Option<Actor>, Error> {
        let sql = "SELECT account, device, next_seq, head, inherited FROM actors
                   WHERE plant = ?1 AND actor = ?2";
        self.one(sql, params![plant, id], |row| {
            Ok(Actor {
                id,
                account: row.get(0)?,
                device: row.get(1)?,
                next_seq: row.get(2)?,
                head: row.get(3)?,
                inherited: serde_json::from_str(&row.get::<String>(4)?)?,
            })
        })
    }

    pub(crate) fn put_actor(&self, plant: PlantId, actor: &Actor) -> Result<(), Error> {
        let inherited = serde_json::to_string(&actor.inherited)?;
        self.send(
            "INSERT INTO actors (plant, actor, account, device, next_seq, head, inherited)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
             ON CONFLICT (plant, actor) DO UPDATE SET device = excluded.device, next_seq = excluded.next_seq,
                 head = excluded.head, inherited = excluded.inherited",
            params![plant, actor.id, actor.account, actor.device, actor.next_seq, actor.head, inherited],
        )
    }

    /// The mutation known under this id within its plant and account.
    pub(crate) fn mutation(
        &self,
        plant: PlantId,
        account: AccountId,
        txn: TxnId,
    ) -> Result<Option<Stored>, Error> {
        Ok(self.mutations(plant, account, &[txn])?.into_iter().next())
    }

    /// Those that are known of these ids.
    pub(crate) fn mutations(
        &self,
        plant: PlantId,
        account: AccountId,
        txns: &[TxnId],
    ) -> Result<Vec<Stored>, Error> {
        let list: Vec<Value<'_>> = txns.iter().map(ToValue::value).collect();
        let lookup =
            Lookup { columns: STORED, table: "mutations m", within: &["plant", "account"], key: "txn" };
        self.found(&lookup, params![plant, account, Value::List(&list)], stored)
    }

    /// The mutations that stand at these seqs of a history, in order, each with the chain's hash behind it.
    pub(crate) fn mutations_at(
        &self,
        plant: PlantId,
        actor: ActorId,
        (first, last): (u64, u64),
    ) -> Result<Vec<(u64, Stored, ChainHash)>, Error> {
        let sql = format!(
            "SELECT {STORED}, d.seq, d.hash FROM dots d
             JOIN mutations m ON m.plant = d.plant AND m.account = d.account AND m.txn = d.txn
             WHERE d.plant = ?1 AND d.actor = ?2 AND d.seq >= ?3 AND d.seq <= ?4 ORDER BY d.seq"
        );
        self.all(&sql, params![plant, actor, first, last], |row| Ok((row.get(6)?, stored(row)?, row.get(7)?)))
    }

    /// Mutations of the plant that are parked and that nobody has dealt with, in the order of their arrival, behind the
    /// one that arrived then and stands there.
    pub(crate) fn parked(
        &self,
        plant: PlantId,
        last: Option<(Timestamp, Dot)>,
        limit: u64,
    ) -> Result<Vec<Parked>, Error> {
        let first = (Timestamp(i64::MIN), Dot { actor: ActorId::from_bytes([0; 16]), seq: 0 });
        let (received_at, dot) = last.unwrap_or(first);
        let sql = format!(
            "SELECT {STORED}, m.account, m.received_at FROM mutations m
             WHERE m.plant = ?1 AND m.status = 'parked' AND m.closed_by IS NULL AND m.closer IS NULL
                 AND (m.received_at, m.actor, m.seq) > (?2, ?3, ?4)
             ORDER BY m.received_at, m.actor, m.seq LIMIT ?5"
        );
        self.all(&sql, params![plant, received_at, dot.actor, dot.seq, limit], |row| {
            Ok(Parked { account: row.get(6)?, stored: stored(row)?, received_at: row.get(7)? })
        })
    }

    /// Whether this mutation is parked and nobody has dealt with it.
    pub(crate) fn is_parked(
        &self,
        plant: PlantId,
        (account, txn): (AccountId, TxnId),
    ) -> Result<bool, Error> {
        let sql = "SELECT count(*) FROM mutations WHERE plant = ?1 AND account = ?2 AND txn = ?3
                   AND status = 'parked' AND closed_by IS NULL AND closer IS NULL";
        Ok(self.count(sql, params![plant, account, txn])? > 0)
    }

    /// Gives a parked mutation the answer that it has now, as of `rev`.
    pub(crate) fn unpark(
        &self,
        plant: PlantId,
        (account, txn): (AccountId, TxnId),
        (answer, rev): (&Answer, u64),
        (kind, customer): (Option<&'static str>, Option<CustomerId>),
    ) -> Result<(), Error> {
        let sql = "UPDATE mutations SET status = ?1, answer = ?2, settled_rev = ?3, kind = ?4, customer = ?5
                   WHERE plant = ?6 AND account = ?7 AND txn = ?8";
        let json = serde_json::to_string(answer)?;
        self.execute(sql, params![status(answer), json, rev, kind, customer, plant, account, txn])?;
        Ok(())
    }

    /// Histories with places that nobody can ask for any more: their phone is revoked and had nothing left to send.
    pub(crate) fn ended_actors(&self, plant: PlantId) -> Result<Vec<ActorId>, Error> {
        let sql = "SELECT a.actor FROM actors a
                   JOIN devices d ON d.plant = a.plant AND d.device = a.device
                   WHERE a.plant = ?1 AND d.revoked_at IS NOT NULL AND d.unsent = 0
                       AND EXISTS (SELECT 1 FROM dots WHERE dots.plant = a.plant AND dots.actor = a.actor)
                   ORDER BY a.actor";
        self.all(sql, params![plant], |row| row.get(0))
    }

    /// Forgets which mutation stands where in a history; returns how many places that were.
    pub(crate) fn drop_dots(&self, plant: PlantId, actor: ActorId) -> Result<u64, Error> {
        self.execute("DELETE FROM dots WHERE plant = ?1 AND actor = ?2", params![plant, actor])
    }

    pub(crate) fn chain_hash(&self, plant: PlantId, dot: Dot) -> Result<Option<ChainHash>, Error> {
        let sql = "SELECT hash FROM dots WHERE plant = ?1 AND actor = ?2 AND seq = ?3";
        self.one(sql, params![plant, dot.actor, dot.seq], |row| row.get(0))
    }

    pub(crate) fn set_chain_hash(&self, plant: PlantId, dot: Dot, hash: ChainHash) -> Result<(), Error> {
        let sql = "UPDATE dots SET hash = ?1 WHERE plant = ?2 AND actor = ?3 AND seq = ?4";
        self.execute(sql, params![hash, plant, dot.actor, dot.seq])?;
        Ok(())
    }
}

impl Tx<'_> {
    /// Notes that a manager dealt with a mutation that was rejected or parked; a parked one is then never applied.
    /// Whether it was one that nobody had dealt with.
    pub(crate) fn close_by_manager(
        &self,
        plant: PlantId,
        (account, txn): (AccountId, TxnId),
        closer: AccountId,
        note: Option<&str>,
        now: Timestamp,
    ) -> Result<bool, Error> {
        let sql = "UPDATE mutations SET closer = ?1, closed_at = ?2, closed_note = ?3
                   WHERE plant = ?4 AND account = ?5 AND txn = ?6
                       AND status <> 'applied' AND closed_by IS NULL AND closer IS NULL";
        Ok(self.execute(sql, params![closer, now, note, plant, account, txn])? == 1)
    }
}

fn stored(row: &Row<'_>) -> Result<Stored, Error> {
    Ok(Stored {
        txn: row.get(0)?,
        dot: Dot { actor: row.get(1)?, seq: row.get(2)? },
        body: row.get(3)?,
        answer: serde_json::from_str(&row.get::<String>(4)?)?,
        is_withdrawn: row.get(5)?,
    })
}
