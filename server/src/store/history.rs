//! Histories: actors, the mutations received, and which mutation stands at which dot.

use super::Tx;
use crate::Error;
use carboy_protocol::wire::Answer;
use carboy_protocol::{AccountId, ActorId, ChainHash, Dot, PlantId, Timestamp, TxnId, VectorClock};
use rusqlite::{OptionalExtension, Row, params};

/// One history, as far as the server has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Actor {
    pub(crate) id: ActorId,
    /// `None` for the dashboard's.
    pub(crate) account: Option<AccountId>,
    pub(crate) next_seq: u64,
    /// The chain's hash behind `next_seq - 1`.
    pub(crate) head: ChainHash,
    /// What this history continues: seen by everything in it.
    pub(crate) inherited: VectorClock,
}

impl Actor {
    pub(crate) fn new(id: ActorId, account: Option<AccountId>) -> Self {
        let head = ChainHash::genesis(id);
        Self { id, account, next_seq: 1, head, inherited: VectorClock::new() }
    }
}

/// A mutation that the server has settled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stored {
    /// Where it stood when it first came.
    pub(crate) dot: Dot,
    pub(crate) body: String,
    pub(crate) answer: Answer,
    /// The chain's hash behind the dot that was asked for; only where a dot was.
    pub(crate) hash: Option<ChainHash>,
    /// Whether it was applied and later taken back.
    pub(crate) is_withdrawn: bool,
}

/// What became of a mutation, as the database names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Status(pub(crate) &'static str);

impl From<&Answer> for Status {
    fn from(answer: &Answer) -> Self {
        Self(match answer {
            Answer::Applied { .. } => "applied",
            Answer::Rejected { .. } => "rejected",
            Answer::Parked => "parked",
        })
    }
}

impl Tx<'_> {
    pub(crate) fn actor(&self, plant: PlantId, id: ActorId) -> Result<Option<Actor>, Error> {
        let found = self
            .conn
            .prepare_cached(
                "SELECT account, next_seq, head, inherited FROM actors WHERE plant = ? AND actor = ?",
            )?
            .query_row(params![plant.as_bytes(), id.as_bytes()], |row| {
                let account: Option<[u8; 16]> = row.get(0)?;
                let actor = Actor {
                    id,
                    account: account.map(AccountId::from_bytes),
                    next_seq: row.get(1)?,
                    head: ChainHash(row.get(2)?),
                    inherited: VectorClock::new(),
                };
                Ok((actor, row.get::<_, String>(3)?))
            })
            .optional()?;
        found
            .map(|(actor, clock)| Ok(Actor { inherited: serde_json::from_str(&clock)?, ..actor }))
            .transpose()
    }

    pub(crate) fn put_actor(&self, plant: PlantId, actor: &Actor) -> Result<(), Error> {
        self.conn
            .prepare_cached(
                "INSERT INTO actors (plant, actor, account, next_seq, head, inherited)
                 VALUES (?, ?, ?, ?, ?, ?)
                 ON CONFLICT DO UPDATE SET next_seq = excluded.next_seq, head = excluded.head,
                     inherited = excluded.inherited",
            )?
            .execute(params![
                plant.as_bytes(),
                actor.id.as_bytes(),
                actor.account.map(|account| *account.as_bytes()),
                actor.next_seq,
                actor.head.0,
                serde_json::to_string(&actor.inherited)?,
            ])?;
        Ok(())
    }

    /// The mutation known under this id within its plant and account.
    pub(crate) fn mutation(
        &self,
        plant: PlantId,
        account: AccountId,
        txn: TxnId,
    ) -> Result<Option<Stored>, Error> {
        self.conn
            .prepare_cached(
                "SELECT actor, seq, body, answer, NULL, withdrawn_by IS NOT NULL FROM mutations
                 WHERE plant = ? AND account = ? AND txn = ?",
            )?
            .query_row(params![plant.as_bytes(), account.as_bytes(), txn.as_bytes()], stored)
            .optional()?
            .transpose()
    }

    /// The mutation that stands at `dot`.
    pub(crate) fn mutation_at(&self, plant: PlantId, dot: Dot) -> Result<Option<Stored>, Error> {
        self.conn
            .prepare_cached(
                "SELECT m.actor, m.seq, m.body, m.answer, d.hash, m.withdrawn_by IS NOT NULL
                 FROM dots d JOIN mutations m USING (plant, account, txn)
                 WHERE d.plant = ? AND d.actor = ? AND d.seq = ?",
            )?
            .query_row(params![plant.as_bytes(), dot.actor.as_bytes(), dot.seq], stored)
            .optional()?
            .transpose()
    }

    #[expect(clippy::too_many_arguments, reason = "a row's columns")]
    pub(crate) fn insert_mutation(
        &self,
        plant: PlantId,
        account: AccountId,
        txn: TxnId,
        dot: Dot,
        body: &str,
        answer: &Answer,
        received_at: Timestamp,
    ) -> Result<(), Error> {
        self.conn
            .prepare_cached(
                "INSERT INTO mutations (plant, account, txn, actor, seq, body, status, answer, received_at)
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            )?
            .execute(params![
                plant.as_bytes(),
                account.as_bytes(),
                txn.as_bytes(),
                dot.actor.as_bytes(),
                dot.seq,
                body,
                Status::from(answer).0,
                serde_json::to_string(answer)?,
                received_at.0,
            ])?;
        Ok(())
    }

    /// Notes that `txn`, which was rejected or parked, was dealt with. What dealt with it first stands.
    pub(crate) fn close_mutation(
        &self,
        plant: PlantId,
        account: AccountId,
        txn: TxnId,
        by: TxnId,
    ) -> Result<(), Error> {
        self.conn
            .prepare_cached(
                "UPDATE mutations SET closed_by = coalesce(closed_by, ?)
                 WHERE plant = ? AND account = ? AND txn = ?",
            )?
            .execute(params![by.as_bytes(), plant.as_bytes(), account.as_bytes(), txn.as_bytes()])?;
        Ok(())
    }

    /// Notes that `txn`, which was applied, was taken back.
    pub(crate) fn mark_withdrawn(
        &self,
        plant: PlantId,
        account: AccountId,
        txn: TxnId,
        by: TxnId,
    ) -> Result<(), Error> {
        self.conn
            .prepare_cached(
                "UPDATE mutations SET withdrawn_by = ? WHERE plant = ? AND account = ? AND txn = ?",
            )?
            .execute(params![by.as_bytes(), plant.as_bytes(), account.as_bytes(), txn.as_bytes()])?;
        Ok(())
    }

    /// Puts a mutation at its place in a history.
    pub(crate) fn insert_dot(
        &self,
        plant: PlantId,
        dot: Dot,
        account: AccountId,
        txn: TxnId,
        hash: ChainHash,
    ) -> Result<(), Error> {
        self.conn
            .prepare_cached(
                "INSERT INTO dots (plant, actor, seq, account, txn, hash) VALUES (?, ?, ?, ?, ?, ?)",
            )?
            .execute(params![
                plant.as_bytes(),
                dot.actor.as_bytes(),
                dot.seq,
                account.as_bytes(),
                txn.as_bytes(),
                hash.0
            ])?;
        Ok(())
    }

    pub(crate) fn chain_hash(&self, plant: PlantId, dot: Dot) -> Result<Option<ChainHash>, Error> {
        let hash = self
            .conn
            .prepare_cached("SELECT hash FROM dots WHERE plant = ? AND actor = ? AND seq = ?")?
            .query_row(params![plant.as_bytes(), dot.actor.as_bytes(), dot.seq], |row| row.get(0))
            .optional()?;
        Ok(hash.map(ChainHash))
    }

    pub(crate) fn set_chain_hash(&self, plant: PlantId, dot: Dot, hash: ChainHash) -> Result<(), Error> {
        self.conn
            .prepare_cached("UPDATE dots SET hash = ? WHERE plant = ? AND actor = ? AND seq = ?")?
            .execute(params![hash.0, plant.as_bytes(), dot.actor.as_bytes(), dot.seq])?;
        Ok(())
    }
}

fn stored(row: &Row<'_>) -> rusqlite::Result<Result<Stored, Error>> {
    let dot = Dot { actor: ActorId::from_bytes(row.get(0)?), seq: row.get(1)? };
    let (body, answer): (String, String) = (row.get(2)?, row.get(3)?);
    let hash = row.get::<_, Option<[u8; 32]>>(4)?.map(ChainHash);
    let is_withdrawn = row.get(5)?;
    Ok(serde_json::from_str(&answer)
        .map(|answer| Stored { dot, body, answer, hash, is_withdrawn })
        .map_err(Error::from))
}
