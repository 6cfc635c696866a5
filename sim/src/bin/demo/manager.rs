//! The manager: looks at a customer's page, and later sends what he changed on it, not knowing what the rider did.

use crate::Plant;
use anyhow::{Context, Result, bail};
use carboy_core::{Body, Exchange, HttpTransport, Random, SystemRandom, Transport};
use carboy_protocol::wire::Answer;
use carboy_protocol::{Action, CustomerId, Edit, Field, Money, Mutation, Profile, TxnId, mutation};
use flate2::Compression;
use flate2::read::{GzDecoder, GzEncoder};
use std::io::Read;
use std::time::Duration;

/// How much more the customer is to owe, in minor units.
pub(crate) const RAISE: i64 = 2_000;

/// The number that the manager writes down.
const PHONE: &str = "0711 000 111";

/// What stood on the customer's page.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) balance: Money,
    profile: Profile,
}

/// A customer of the first route who owes something: whom rider and manager will both change.
pub(crate) fn debtor(plant: &Plant) -> Result<CustomerId> {
    for &customer in &plant.sample.routes[0].stops {
        if look(plant, customer)?.balance.minor > 0 {
            return Ok(customer);
        }
    }
    bail!("nobody on the first route owes anything")
}

/// Reads the customer's page.
pub(crate) fn look(plant: &Plant, customer: CustomerId) -> Result<Seen> {
    let connection = rusqlite::Connection::open(&plant.database)?;
    let (balance, profile): (i64, String) = connection.query_row(
        "SELECT balance, profile FROM customers JOIN profiles USING (plant, customer) WHERE customer = ?",
        [customer.as_bytes()],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    let balance = Money::new(balance, plant.sample.currency);
    Ok(Seen { balance, profile: serde_json::from_str(&profile)? })
}

/// Sets the balance and the telephone number, as of what was seen.
pub(crate) async fn change(plant: &Plant, customer: CustomerId, seen: &Seen) -> Result<()> {
    let target = seen.balance.plus(Money::new(RAISE, seen.balance.currency))?;
    let reason = "two bottles of last week were not on the bill".to_owned();
    let set = Action::SetBalance { customer, seen: seen.balance, target, reason };
    let changes = [(Field::Phone, PHONE.to_owned())].into();
    let (context, lamport) = (seen.profile.clock(), seen.profile.next_lamport());
    let edit = Action::UpdateProfile { customer, edit: Edit { changes, context, lamport } };
    for action in [set, edit] {
        send(plant, action).await?;
    }
    Ok(())
}

async fn send(plant: &Plant, action: Action) -> Result<()> {
    let mut random = [0; 10];
    SystemRandom.fill(&mut random).map_err(anyhow::Error::msg)?;
    let at = carboy_core::Clock::now(&carboy_core::SystemClock);
    let txn = TxnId::from_random(at, random);
    let json = serde_json::to_vec(&Mutation { v: mutation::VERSION, txn, at, replaces: None, action })?;
    let mut body = Vec::new();
    GzEncoder::new(&*json, Compression::default()).read_to_end(&mut body)?;
    let exchange = Exchange {
        path: "/v1/manage/mutations".to_owned(),
        token: Some(plant.sample.manager.token.clone()),
        body: Body::Json(body),
        timeout: Duration::from_secs(10),
    };
    let reply = HttpTransport::new(&format!("http://{}", plant.address))?.exchange(exchange).await?;
    let mut body = reply.body;
    if reply.gzip {
        let compressed = std::mem::take(&mut body);
        GzDecoder::new(&*compressed).read_to_end(&mut body)?;
    }
    let answer = serde_json::from_slice::<Answer>(&body)
        .with_context(|| format!("status {}: {}", reply.status, String::from_utf8_lossy(&body)))?;
    match answer {
        Answer::Applied { .. } => Ok(()),
        other => bail!("the manager's change was not applied: {other:?}"),
    }
}
