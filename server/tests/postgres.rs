//! The PostgreSQL that tests run on: quick to get, gone afterwards, and one that can be lost for good.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

#[path = "common/postgres.rs"]
mod postgres;

use postgres::Cluster;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

/// Set in a process that makes a cluster and is killed with it.
const DOOMED: &str = "CARBOY_TEST_DOOMED";

const TABLE: &str = "CREATE TABLE payment (amount BIGINT)";
const SUM: &str = "SELECT sum(amount) FROM payment";

#[test]
fn every_test_has_a_database_of_its_own_that_forgets_nothing_between_connections() {
    let cluster = Cluster::primary();
    let [one, other] = [cluster.database(), cluster.database()].map(|address| name(&address));
    assert_ne!(one, other);
    cluster.sql(&one, TABLE);
    cluster.sql(&one, "INSERT INTO payment VALUES (30)");
    assert_eq!(cluster.sql(&one, SUM), "30");
    cluster.sql(&other, TABLE);
    assert_eq!(cluster.sql(&other, SUM), "");
    assert_ne!(postgres::database(), postgres::database());
}

#[test]
fn a_killed_cluster_starts_again_with_all_that_it_acknowledged() {
    let mut cluster = Cluster::primary();
    let database = name(&cluster.database());
    cluster.sql(&database, TABLE);
    cluster.sql(&database, "INSERT INTO payment VALUES (30)");
    cluster.kill9();
    cluster.start();
    assert_eq!(cluster.sql(&database, SUM), "30");
}

#[test]
fn a_promoted_standby_has_all_that_the_killed_primary_acknowledged_and_takes_more() {
    let mut primary = Cluster::primary();
    let database = name(&primary.database());
    primary.sql(&database, TABLE);
    let standby = primary.standby();
    primary.sql(&database, "INSERT INTO payment VALUES (30)");
    primary.kill9();
    standby.promote();
    standby.sql(&database, "INSERT INTO payment VALUES (12)");
    assert_eq!(standby.sql(&database, SUM), "42");
}

#[test]
fn a_killed_test_leaves_neither_a_process_nor_a_file() {
    if std::env::var_os(DOOMED).is_some() {
        let cluster = Cluster::primary();
        eprintln!("\ncluster {}", cluster.address("postgres"));
        std::io::stdin().read_line(&mut String::new()).unwrap();
        return;
    }
    let mut doomed = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "a_killed_test_leaves_neither_a_process_nor_a_file", "--nocapture"])
        .env(DOOMED, "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(doomed.stderr.take().unwrap()).lines().map(Result::unwrap);
    let line = lines.find(|line| line.starts_with("cluster ")).unwrap();
    let folder = line.split(['@', '/']).nth(3).unwrap().replace("%2F", "/");
    assert!(Path::new(&folder).join("data").exists(), "{folder}");
    doomed.kill().unwrap();
    doomed.wait().unwrap();
    // The script that guards the cluster has this output too: its end is the end of all.
    assert_eq!(lines.collect::<Vec<_>>(), [""; 0]);
    assert!(!Path::new(&folder).exists(), "{folder}");
}

fn name(address: &str) -> String {
    address.rsplit('/').next().unwrap().to_owned()
}
