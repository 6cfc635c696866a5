//! Riders at their plants' server, without phones: their requests are made by hand before the clock runs, and hold
//! what a round brings.

use crate::world::{lines, profile};
use anyhow::{Result, anyhow};
use carboy_protocol::wire::{EnrolRequest, SyncRequest};
use carboy_protocol::{
    Action, ActorId, ChainHash, Currency, CustomerId, DeliveryLine, DeviceKey, Edit, FailReason, Money,
    Mutation, PlantId, Timestamp, TxnId, VectorClock, mutation,
};
use carboy_server::{Auth, Server};
use serde_json::value::{RawValue, to_raw_value};

/// A rider, and how far the round has come.
pub(crate) struct Rider {
    pub(crate) auth: Auth,
    pub(crate) token: String,
    pub(crate) actor: ActorId,
    pub(crate) customers: Vec<CustomerId>,
    pub(crate) next_seq: u64,
    key: DeviceKey,
    head: ChainHash,
    currency: Currency,
    /// Actions of the round so far.
    actions: usize,
}

impl Rider {
    /// Enrols the rider of this number at a plant.
    pub(crate) fn enrol(server: &Server, plant: PlantId, number: usize) -> Result<Self> {
        let account = server.create_rider(plant, &format!("Rider {number}"))?;
        let (code, _) = server.create_enrol_code(plant, account.id)?;
        let mut seed = [7; 32];
        seed[..8].copy_from_slice(&(number as u64).to_le_bytes());
        let key = DeviceKey::from_seed(seed);
        let request = EnrolRequest { code, device_name: "Tecno Spark 8".into(), public_key: key.public() };
        // Each from an address of its own, or the server would slow them down.
        let address = format!("10.0.{}.{}", number / 256, number % 256);
        let enrolled = server.handle_enrol(&address, &request).map_err(|refusal| anyhow!("{refusal:?}"))?;
        let token = enrolled.token;
        let auth = server.authenticate(&token).map_err(|refusal| anyhow!("{refusal:?}"))?;
        let actor = ActorId::from_bytes(*server.new_txn()?.as_bytes());
        let (head, currency) = (ChainHash::genesis(actor), "KES".parse()?);
        let customers = Vec::new();
        Ok(Self { auth, token, actor, customers, next_seq: 1, key, head, currency, actions: 0 })
    }

    /// Lets the rider add customers, for a round of their own.
    pub(crate) fn add_customers(&mut self, server: &Server, count: usize) -> Result<()> {
        let mut added = 0;
        while added < count {
            let some = (count - added).min(1_000);
            let ids: Vec<_> = (0..some)
                .map(|_| Ok(CustomerId::from_bytes(*server.new_txn()?.as_bytes())))
                .collect::<Result<_>>()?;
            let actions = (added..).zip(&ids).map(|(n, &customer)| Action::AddCustomer {
                customer,
                fields: profile(n),
                route: None,
            });
            let request = self.request(actions.collect(), 0)?;
            server.handle_sync(&self.auth, &request).map_err(|refusal| anyhow!("{refusal:?}"))?;
            self.customers.extend(ids);
            added += some;
        }
        Ok(())
    }

    /// The round's next `count` actions in one request: at each stop a delivery and its cash; now and then a stop in
    /// vain, or a customer's new number.
    pub(crate) fn round(&mut self, count: usize, cursor: u64) -> Result<SyncRequest> {
        let first = self.actions;
        self.actions += count;
        let actions = (first..self.actions).map(|n| self.action(n)).collect();
        self.request(actions, cursor)
    }

    fn action(&self, n: usize) -> Action {
        let (stop, customer) = (n / 2, self.customers[n / 2 % self.customers.len()]);
        let currency = self.currency;
        match (n % 2, stop % 25) {
            (0, 24) => Action::FailDelivery { customer, reason: FailReason::Closed, note: None },
            (1, 24) => {
                // What the rider's own history holds counts as seen.
                let (context, lamport) = (VectorClock::new(), self.next_seq);
                Action::UpdateProfile { customer, edit: Edit { changes: profile(n), context, lamport } }
            }
            (0, _) => Action::ConfirmDelivery {
                customer,
                lines: priced(stop),
                currency,
                proof: None,
                photos: Vec::new(),
            },
            (_, _) => {
                let owed = priced(stop).iter().map(|line| i64::from(line.delivered) * line.unit_price).sum();
                Action::CollectCash { customer, amount: Money::new(owed, currency) }
            }
        }
    }

    fn request(&mut self, actions: Vec<Action>, cursor: u64) -> Result<SyncRequest> {
        let first_seq = self.next_seq;
        let mut mutations = Vec::with_capacity(actions.len());
        for action in actions {
            let body = self.mutation(action)?;
            self.head = self.head.next(self.next_seq, body.get().as_bytes());
            self.next_seq += 1;
            mutations.push(body);
        }
        let (actor, head, last_seq) = (self.actor, self.head, self.next_seq - 1);
        let signature = self.key.sign_head(actor, last_seq, head);
        let (parent, hashes) = (None, None);
        Ok(SyncRequest { actor, parent, first_seq, last_seq, head, signature, hashes, mutations, cursor })
    }

    fn mutation(&self, action: Action) -> Result<Box<RawValue>> {
        // As on a phone: the time in front, the rest unlike any other.
        let at = Timestamp(1_732_350_000_000_i64.saturating_add_unsigned(self.next_seq * 26_000));
        let mut unlike = [0; 10];
        unlike.copy_from_slice(&ChainHash::genesis(self.actor).next(self.next_seq, b"txn").0[..10]);
        let txn = TxnId::from_random(at, unlike);
        Ok(to_raw_value(&Mutation { v: mutation::VERSION, txn, at, replaces: None, action })?)
    }
}

fn priced(stop: usize) -> Vec<DeliveryLine> {
    let price = |line: carboy_core::DeliveredLine| DeliveryLine {
        product: line.product,
        delivered: line.delivered,
        empties: line.empties,
        unit_price: 15_000,
    };
    lines(stop).into_iter().map(price).collect()
}
