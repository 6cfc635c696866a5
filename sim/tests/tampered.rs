//! One bad mutation among many, and an outbox that somebody changed on the phone: the server finds exactly that one,
//! and the ones around it settle.
#![allow(clippy::unwrap_used, reason = "a helper that fails fails its test")]

mod world;

use carboy_core::Attention;
use carboy_protocol::{ChainHash, TxnId};
use world::*;

fn file(phone: &Phone<'_>) -> rusqlite::Connection {
    rusqlite::Connection::open(phone.engine.file()).unwrap()
}

/// The reasons on the phone's attention list.
fn reasons(phone: &Phone<'_>) -> Vec<String> {
    let items = phone.engine.attention(0, 100).unwrap();
    let reasons = items.into_iter().map(|item| match item {
        Attention::Refused(refused) => refused.reason,
        other => panic!("{other:?}"),
    });
    reasons.collect()
}

/// What the server's list of what it did not accept says, by status.
fn on_server(world: &World) -> Vec<String> {
    let database = world.database();
    let mut query = database
        .prepare("SELECT status FROM mutations WHERE status <> 'applied' AND closed_by IS NULL")
        .unwrap();
    let rows = query.query_map([], |row| row.get(0)).unwrap();
    rows.map(Result::unwrap).collect()
}

/// What became of a mutation on the server.
fn status(world: &World, txn: TxnId) -> String {
    let sql = "SELECT status FROM mutations WHERE txn = ?";
    world.database().query_row(sql, [txn.as_bytes()], |row| row.get(0)).unwrap()
}

/// Accepts all that is on the list, so that the next case begins without.
fn accept_all(phone: &mut Phone<'_>) {
    for item in phone.engine.attention(0, 100).unwrap() {
        let Attention::Refused(refused) = item else { panic!("{item:?}") };
        phone.engine.accept(refused.id).unwrap();
    }
    phone.sync();
}

/// Works the chain out anew, as the app itself would have from these bodies.
fn rechain(phone: &Phone<'_>) {
    let file = file(phone);
    let (actor, base): ([u8; 16], u64) =
        file.query_row("SELECT actor, base FROM meta", [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
    let mut head = ChainHash::genesis(carboy_protocol::ActorId::from_bytes(actor));
    let mut query = file.prepare("SELECT id, body FROM record ORDER BY id").unwrap();
    let rows: Vec<(u64, String)> =
        query.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap().map(Result::unwrap).collect();
    for (id, body) in rows {
        head = head.next(id - base, body.as_bytes());
        file.execute("UPDATE record SET hash = ? WHERE id = ?", rusqlite::params![head.0, id]).unwrap();
    }
    file.execute("UPDATE meta SET head = ?", [head.0]).unwrap();
}

#[test]
fn one_bad_mutation_among_a_thousand_is_on_both_lists_and_the_others_apply() {
    // To a customer whom the server does not know; and of a kind that it does not know yet.
    for (status, reason) in [("rejected", "unknown_customer"), ("parked", "parked")] {
        let world = World::new();
        let mut phone = world.phone("rider");
        phone.sync();
        let mut recorded: Vec<TxnId> =
            (0..1_000).map(|n| phone.collect(world.customers[n % 20], 1)).collect();
        let bad = recorded.remove(499);
        let change = match status {
            "rejected" => {
                "UPDATE record SET body = substr(body, 1, instr(body, '\"customer\":') + 11) || 'ffffffff'
                     || substr(body, instr(body, '\"customer\":') + 20) WHERE id = 500"
            }
            _ => "UPDATE record SET body = replace(body, 'collect_cash', 'sing_a_song') WHERE id = 500",
        };
        assert_eq!(file(&phone).execute(change, []).unwrap(), 1);
        rechain(&phone);
        phone.sync();
        assert_eq!((phone.pending(), reasons(&phone)), (0, vec![reason.to_owned()]));
        assert_eq!(on_server(&world), [status]);
        let settled = world.settled();
        assert_eq!(settled[&bad], (1, status.to_owned()));
        assert!(recorded.iter().all(|txn| settled[txn] == (1, "applied".to_owned())));
        let total: i64 = phone.shown().0.iter().map(|customer| customer.balance.minor).sum();
        assert_eq!(total, 20 * 10_000 - 999);
        assert_eq!(phone.shown(), world.fresh_view("fresh").shown());
    }
}

/// What is done to the second of three rows.
fn changes(phone: &Phone<'_>, id: u64) -> Vec<String> {
    let body: String =
        file(phone).query_row("SELECT body FROM record WHERE id = ?", [id], |row| row.get(0)).unwrap();
    let byte_of = |column: &str, n: usize, byte: u8| {
        let text = if column == "body" { "TEXT" } else { "BLOB" };
        format!(
            "UPDATE record SET {column} = CAST(CAST(substr(CAST({column} AS BLOB), 1, {n}) AS BLOB)
                 || x'{byte:02x}' || substr(CAST({column} AS BLOB), {n} + 2) AS {text}) WHERE id = {id}"
        )
    };
    let mut changes: Vec<String> =
        (0..body.len()).map(|n| byte_of("body", n, body.as_bytes()[n] ^ 1)).collect();
    // No UTF-8 any more, no row any more.
    changes.push(byte_of("body", 5, 0xff));
    changes.push(format!("DELETE FROM record WHERE id = {id}"));
    changes
}

#[test]
fn one_byte_changed_in_an_entry_is_found_and_the_entries_around_it_settle() {
    let world = World::new();
    let mut phone = world.phone("rider");
    phone.sync();
    let mut case = 0;
    loop {
        let ids: Vec<_> =
            (0..3).map(|n| phone.engine.collect_cash(world.customers[n], kes(1)).unwrap()).collect();
        let all = changes(&phone, ids[1].id);
        let Some(change) = all.get(case) else { break };
        assert_eq!(file(&phone).execute(change, []).unwrap(), 1, "{change}");
        phone.sync();
        assert_eq!((phone.pending(), reasons(&phone)), (0, vec!["tampered".to_owned()]), "{change}");
        for n in [0, 2] {
            assert_eq!(status(&world, ids[n].txn), "applied", "entry {n} after {change}");
        }
        accept_all(&mut phone);
        case += 1;
    }
    assert!(case > 150, "only {case} cases");
    phone.sync();
    assert!(on_server(&world).is_empty());
    let broken: bool =
        world.database().query_row("SELECT max(chain_broken) FROM devices", [], |row| row.get(0)).unwrap();
    assert!(broken, "the manager is told");
    assert_eq!(phone.shown(), world.fresh_view("fresh").shown());
}

#[test]
fn a_damaged_hash_is_noticed_and_costs_no_entry_whose_bytes_are_vouched_for() {
    let world = World::new();
    let mut phone = world.phone("rider");
    phone.sync();
    for n in 0..32 {
        let ids: Vec<_> =
            (0..3).map(|n| phone.engine.collect_cash(world.customers[n], kes(1)).unwrap()).collect();
        let sql = format!(
            "UPDATE record SET hash = CAST(substr(hash, 1, {n}) || x'00' || substr(hash, {n} + 2) AS BLOB)
             WHERE id = ?"
        );
        file(&phone).execute(&sql, [ids[1].id]).unwrap();
        phone.sync();
        assert_eq!((phone.pending(), reasons(&phone).len()), (0, 0), "byte {n}");
        assert!(ids.iter().all(|receipt| status(&world, receipt.txn) == "applied"));
    }
}

#[test]
fn an_entry_slipped_in_behind_the_others_is_found() {
    let world = World::new();
    let mut phone = world.phone("rider");
    phone.sync();
    let real = phone.collect(world.customers[0], 5);
    let forged = TxnId::from_bytes([0x77; 16]);
    file(&phone)
        .execute_batch(&format!(
            "INSERT INTO record (id, customer, amount, profile_update, body, hash)
                 SELECT id + 1, customer, amount, 0, replace(body, '{real}', '{forged}'), hash FROM record;
             UPDATE meta SET last_id = last_id + 1"
        ))
        .unwrap();
    phone.sync();
    assert_eq!(reasons(&phone), ["tampered"]);
    assert_eq!(status(&world, real), "applied");
}

#[test]
fn an_outbox_that_another_key_signed_is_not_taken_and_stays_on_the_phone() {
    let world = World::new();
    let mut phone = world.phone("rider");
    phone.sync();
    phone.collect(world.customers[0], 5);
    let name = format!("carboy.{}.device", world.rider.id);
    carboy_core::KeyStore::save(&*phone.keys, &name, &[1; 32]).unwrap();
    phone.drainer.wake(carboy_core::Wake::Now);
    phone.drive(|phone, exchange| Ok(phone.serve(&exchange)));
    assert_eq!((phone.state(), phone.pending()), (carboy_core::SyncState::NeedsSignIn, 1));
}
