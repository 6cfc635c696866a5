//! What whoever moves a plant from one database to another can rely on: it is the same plant there, or nothing of it.

use crate::common::{Engine, Phone, World, location_on};
use crate::world;
use carboy_protocol::{Field, PlantId};
use carboy_server::Server;
use carboy_server::store::Store;
use std::collections::BTreeMap;

/// A phone that has left something in most tables.
fn busy(world: &World) -> Phone {
    let mut phone = world.phone();
    for minor in 1..=450 {
        phone.record(world.cash(minor));
    }
    phone.record(world.delivery(3, 1));
    phone.record(world.edit(Field::Phone, "0711 \u{e9} '"));
    phone.record_raw(r#"{"v":1,"txn":"01936000-0000-7000-8000-000000000001","kind":"sing"}"#);
    phone.record(world.cash(-1));
    phone.sync(world);
    phone
}

/// A database without any plant.
fn empty(engine: Engine, folder: &tempfile::TempDir) -> Store {
    Store::migrate(&location_on(engine, folder)).unwrap()
}

fn exported(store: &Store, plant: PlantId) -> String {
    let mut text = Vec::new();
    store.export(plant, &mut text).unwrap();
    String::from_utf8(text).unwrap()
}

#[test]
fn a_plant_moves_to_another_database_without_loss_and_its_phones_go_on_there() {
    let here = world();
    let mut phone = busy(&here);
    let text = exported(here.server.store(), here.plant);
    phone.record(here.cash(7));
    for engine in [Engine::Sqlite, Engine::Postgres] {
        let folder = tempfile::tempdir().unwrap();
        let there = empty(engine, &folder);
        assert_eq!(there.import(&mut text.as_bytes()).unwrap(), here.plant);
        assert_eq!(exported(&there, here.plant), text, "{engine:?}");
        let there = Server::over(there, here.clock.clone(), here.random.clone());
        let reply = there.handle_sync(&phone.auth, &phone.request(1, phone.outbox.len())).unwrap();
        let duplicates: Vec<_> = reply.results.iter().map(|settlement| settlement.duplicate).collect();
        let last = duplicates.len() - 1;
        assert!(duplicates[..last].iter().all(|duplicate| *duplicate) && !duplicates[last]);
    }
}

#[test]
fn a_damaged_or_foreign_file_brings_nothing_in() {
    let here = world();
    busy(&here);
    let text = exported(here.server.store(), here.plant);
    let folder = tempfile::tempdir().unwrap();
    let there = empty(here.engine, &folder);
    let lines: Vec<&str> = text.lines().collect();
    let cut = lines[..lines.len() / 2].join("\n");
    let twice = format!("{}\n{text}", lines[..lines.len() - 1].join("\n"));
    let short = [&lines[..20], &lines[21..]].concat().join("\n");
    let newer = text.replacen("\"schema\":1", "\"schema\":2", 1);
    for (file, error) in [
        (cut.as_str(), "cut off"),
        (&twice, "a second plant"),
        (&short, "rows, and had"),
        (&newer, "schema version 2, this program has 1"),
        ("", "no plant that"),
        ("{}", "line 1 cannot be read"),
    ] {
        let found = there.import(&mut file.as_bytes()).unwrap_err().to_string();
        assert!(found.contains(error), "{found}");
        for (table, _) in Store::columns() {
            assert_eq!(there.rows(&format!("SELECT 1 FROM {table}")).unwrap().len(), 0, "{table}");
        }
    }
    let again = here.server.store().import(&mut text.as_bytes()).unwrap_err().to_string();
    assert!(again.ends_with("is here already"), "{again}");
}

#[test]
fn every_column_of_the_database_is_known_to_whoever_moves_a_plant() {
    let world = world();
    let columns = match world.engine {
        Engine::Sqlite => {
            "SELECT m.name, p.name FROM sqlite_schema m JOIN pragma_table_info(m.name) p
                           WHERE m.type = 'table'"
        }
        Engine::Postgres => {
            "SELECT table_name::TEXT, column_name::TEXT FROM information_schema.columns
                             WHERE table_schema = 'public' AND table_name <> 'schema_version'"
        }
    };
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (table, column) in world.rows::<(String, String)>(columns) {
        found.entry(table).or_default().push(column);
    }
    // Attempts that failed are of no plant.
    assert!(found.remove("brakes").is_some());
    let known: BTreeMap<String, Vec<String>> = Store::columns()
        .map(|(table, columns)| (table.to_owned(), columns.map(str::to_owned).collect()))
        .collect();
    for (table, columns) in &mut found {
        columns.sort();
        let mut known = known.get(table).cloned().unwrap_or_else(|| panic!("table {table}"));
        known.sort();
        assert_eq!(*columns, known, "{table}");
    }
    assert_eq!(found.len(), known.len());
}
