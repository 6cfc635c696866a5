//! What each phone recorded against what the server holds, read from the server's own database.

use crate::Plant;
use crate::manager::RAISE;
use crate::rider::Rider;
use anyhow::Result;
use carboy_protocol::{CustomerId, Day, Field, Money, Profile, TxnId};
use rusqlite::{Connection, OpenFlags};
use std::collections::HashMap;

/// What the server holds of one customer.
struct Held {
    balance: i64,
    ledger: i64,
    profile: Profile,
}

/// Prints the comparison; whether all agrees.
pub(crate) fn print(plant: &Plant, riders: &[Rider]) -> Result<bool> {
    let server = Connection::open_with_flags(&plant.database, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let mut problems = Vec::new();
    println!(
        "\n{:<16} {:>9} {:>9} {:>6} {:>8} {:>15} {:>15} {:>9}",
        "rider", "recorded", "on server", "twice", "rejected", "cash on phone", "cash on server", "sent kB"
    );
    for rider in riders {
        print_rider(plant, rider, &server, &mut problems)?;
    }
    let mut customers = 0;
    for &customer in &plant.sample.customers {
        customers += 1;
        compare_customer(customer, riders, &held(&server, customer)?, &mut problems)?;
    }
    print_disputed(riders, &server, &mut problems)?;
    println!();
    let actions: usize = riders.iter().map(|rider| rider.recorded().len()).sum();
    if problems.is_empty() {
        println!(
            "AGREE: {actions} actions and {customers} balances are the same on the server and on every phone"
        );
    } else {
        problems.iter().for_each(|problem| println!("  {problem}"));
        println!("DISAGREE in {} points", problems.len());
    }
    Ok(problems.is_empty())
}

fn print_rider(plant: &Plant, rider: &Rider, server: &Connection, problems: &mut Vec<String>) -> Result<()> {
    let currency = plant.sample.currency;
    let held = mutations(server, rider)?;
    let entries = ledger(server, rider)?;
    let recorded = rider.recorded();
    let found =
        recorded.iter().filter(|action| held.get(&action.txn).is_some_and(|status| status == "applied"));
    let (found, rejected) = (found.count(), held.values().filter(|status| *status != "applied").count());
    let twice = entries.values().filter(|(times, ..)| *times > 1).count();
    let phone_cash: i64 = recorded.iter().map(|action| action.cash).sum();
    let paid = entries.values().filter(|(_, kind, _)| kind == "collect_cash");
    let server_cash: i64 = paid.map(|(_, _, amount)| -amount).sum();
    let counts = rider.proxy.counts();
    println!(
        "{:<16} {:>9} {:>9} {:>6} {:>8} {:>15} {:>15} {:>9.1}",
        rider.name,
        recorded.len(),
        found,
        twice,
        rejected,
        Money::new(phone_cash, currency).to_string(),
        Money::new(server_cash, currency).to_string(),
        counts.up_bytes as f64 / 1e3,
    );
    if found != recorded.len() || held.len() != recorded.len() {
        problems.push(format!("{}: recorded {}, server holds {}", rider.name, recorded.len(), held.len()));
    }
    if twice + rejected > 0 {
        problems.push(format!("{}: {twice} twice on the ledger, {rejected} rejected", rider.name));
    }
    let day = rider.runtime.engine().day()?;
    let told: String = server.query_row(
        "SELECT day FROM rider_days WHERE account = ?",
        [rider.account.as_bytes()],
        |row| row.get(0),
    )?;
    let told: Day = serde_json::from_str(&told)?;
    let (on_phone, on_server) = (day.cash_in_hand.minor, told.in_all.cash_in_hand());
    if (on_phone, on_server) != (0, 0) {
        problems.push(format!("{}: cash in hand {on_phone}, on the server {on_server}", rider.name));
    }
    let is_over = day.shift == told.shift && told.shift.is_some_and(|shift| !shift.is_open());
    if !is_over || told.in_all.products.values().any(|bottles| bottles.on_board() != 0) {
        problems.push(format!("{}: the day did not end with an empty vehicle", rider.name));
    }
    if phone_cash != server_cash {
        problems.push(format!("{}: cash {phone_cash} on the phone, {server_cash} on the server", rider.name));
    }
    Ok(())
}

/// The rider's mutations on the server, with what became of each.
fn mutations(server: &Connection, rider: &Rider) -> Result<HashMap<TxnId, String>> {
    let mut query = server.prepare("SELECT txn, status FROM mutations WHERE account = ?")?;
    let rows = query
        .query_map([rider.account.as_bytes()], |row| Ok((TxnId::from_bytes(row.get(0)?), row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The rider's ledger entries on the server: how often, what, how much.
fn ledger(server: &Connection, rider: &Rider) -> Result<HashMap<TxnId, (i64, String, i64)>> {
    let mut query = server
        .prepare("SELECT txn, count(*), kind, sum(amount) FROM ledger WHERE account = ? GROUP BY txn")?;
    let rows = query.query_map([rider.account.as_bytes()], |row| {
        Ok((TxnId::from_bytes(row.get(0)?), (row.get(1)?, row.get(2)?, row.get(3)?)))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn held(server: &Connection, customer: CustomerId) -> Result<Held> {
    let (balance, profile): (i64, String) = server.query_row(
        "SELECT balance, profile FROM customers JOIN profiles USING (plant, customer) WHERE customer = ?",
        [customer.as_bytes()],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    let ledger = server.query_row(
        "SELECT coalesce(sum(amount), 0) FROM ledger WHERE customer = ?",
        [customer.as_bytes()],
        |row| row.get(0),
    )?;
    Ok(Held { balance, ledger, profile: serde_json::from_str(&profile)? })
}

fn compare_customer(
    customer: CustomerId,
    riders: &[Rider],
    held: &Held,
    problems: &mut Vec<String>,
) -> Result<()> {
    if held.balance != held.ledger {
        problems.push(format!("customer {customer}: balance {}, ledger {}", held.balance, held.ledger));
    }
    for rider in riders {
        let phone = rider.runtime.engine().customer(customer)?;
        if phone.balance.minor != held.balance {
            let minor = phone.balance.minor;
            problems.push(format!("{}: customer {customer} {minor}, server {}", rider.name, held.balance));
        }
        let fields = [&phone.name, &phone.phone, &phone.address, &phone.note];
        for (field, value) in Field::ALL.into_iter().zip(fields) {
            let expected = held.profile.shown(field).unwrap_or_default();
            if value != expected {
                let name = field.name();
                problems.push(format!("{}: {name} of {customer} {value:?}, server {expected:?}", rider.name));
            }
        }
    }
    Ok(())
}

/// The customer whom rider and manager changed without having seen each other's change.
fn print_disputed(riders: &[Rider], server: &Connection, problems: &mut Vec<String>) -> Result<()> {
    let Some((customer, seen)) = riders.first().and_then(|rider| rider.disputed.clone()) else {
        return Ok(());
    };
    let held = held(server, customer)?;
    let money = |minor: i64| Money::new(minor, seen.balance.currency).to_string();
    let target = seen.balance.minor + RAISE;
    let name = held.profile.shown(Field::Name).unwrap_or_default();
    let collected = target - held.balance;
    println!(
        "\n{name}: {}, set to {} by the manager while {} was collected offline = {}",
        money(seen.balance.minor),
        money(target),
        money(collected),
        money(held.balance)
    );
    let siblings: Vec<_> =
        held.profile.siblings(Field::Phone).iter().map(|sibling| sibling.value.as_str()).collect();
    println!("{name}: telephone {}, and kept beside it {}", siblings[0], siblings[1..].join(", "));
    if siblings.len() != 2 {
        problems.push(format!("the telephone numbers {siblings:?} should be two"));
    }
    if collected != 3_000 {
        problems.push(format!("the disputed balance should be {} less than was set", money(3_000)));
    }
    Ok(())
}
