//! Who may do what, how that ends, and how guessing is stopped: on every store, and by every process on it.

use crate::common::{Phone, World};
use crate::world;
use carboy_protocol::wire::{Answer, EnrolRequest, Refusal, Rejection};
use carboy_protocol::{AccountId, Action, DeviceKey};
use carboy_server::store::{Account, Store};
use carboy_server::{Author, Error, LINK_SPAN, Origin, Rank, Server, Unfit};
use std::sync::Arc;
use std::thread;

const HOUR: i64 = 60 * 60 * 1000;
const MINUTE: i64 = 60 * 1000;

/// Another process over the same database.
fn another_process(world: &World) -> Server {
    let store = Store::open(&world.location).unwrap();
    Server::over(store, world.clock.clone(), world.random.clone())
}

fn account(world: &World, id: AccountId) -> Account {
    world.server.accounts(world.plant).unwrap().into_iter().find(|account| account.id == id).unwrap()
}

/// Somebody who has chosen the password `clean water`.
fn invited(world: &World, rank: Rank, login: &str) -> Account {
    let link = world.server.invite(&world.manager, rank, login, login).unwrap();
    assert!(world.server.choose_password(&Origin::Here, &link.token, "clean water").unwrap());
    account(world, link.account)
}

fn sign_in(server: &Server, login: &str, password: &str) -> Result<Option<String>, Error> {
    server.sign_in("192.0.2.1", login, password)
}

fn signed_in(world: &World, login: &str) -> String {
    sign_in(&world.server, login, "clean water").unwrap().expect("login and password match")
}

fn wait<T: std::fmt::Debug>(result: Result<T, Error>) -> u64 {
    match result {
        Err(Error::Wait { seconds }) => seconds,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_a_viewer_records_has_no_effect_however_it_comes() {
    let world = world();
    let viewer = invited(&world, Rank::Viewer, "vera");
    let refused = |action: Action| {
        let answer = world.server.act(&viewer, world.server.new_txn().unwrap(), &action).unwrap().answer;
        assert!(matches!(answer, Answer::Rejected { reason: Rejection::Forbidden, .. }), "{answer:?}");
    };
    refused(world.set_balance(0, 700));
    refused(world.cash(700));
    let code = world.server.create_enrol_code(world.plant, viewer.id).unwrap_err();
    assert!(matches!(code, Error::Unfit(Unfit::Viewer(_))), "{code:?}");
    // Who was a manager when the phone was enrolled is a viewer now.
    let manager = invited(&world, Rank::Manager, "mary");
    let mut phone = world.phone_of(&manager);
    phone.record(world.cash(1));
    phone.sync(&world);
    world.server.set_rank(&world.manager, manager.id, Rank::Viewer).unwrap();
    phone.auth = world.server.authenticate(&phone.token).unwrap();
    phone.record(world.cash(2));
    let answer = phone.sync(&world).results.remove(0).answer;
    assert!(matches!(answer, Answer::Rejected { reason: Rejection::Forbidden, .. }), "{answer:?}");
    assert_eq!(world.ledger(), [-1]);
}

#[test]
fn the_last_owner_can_be_neither_disabled_nor_given_another_right() {
    let world = world();
    let (grace, server) = (world.manager.id, &world.server);
    let is_last = |error: Error| assert!(matches!(error, Error::Unfit(Unfit::LastOwner(_))), "{error:?}");
    is_last(server.disable_account(world.plant, grace).unwrap_err());
    is_last(server.set_rank(world.plant, grace, Rank::Manager).unwrap_err());
    let other = invited(&world, Rank::Owner, "otto");
    server.disable_account(world.plant, other.id).unwrap();
    is_last(server.set_rank(world.plant, grace, Rank::Viewer).unwrap_err());
    server.enable_account(world.plant, other.id).unwrap();
    server.set_rank(world.plant, grace, Rank::Viewer).unwrap();
    is_last(server.disable_account(world.plant, other.id).unwrap_err());
    assert_eq!(account(&world, grace).rank, Some(Rank::Viewer));
}

#[test]
fn disabling_an_account_ends_all_its_access_at_once_and_enabling_brings_back_the_password_alone() {
    let world = world();
    let mary = invited(&world, Rank::Manager, "mary");
    let session = signed_in(&world, "mary");
    let phone = world.phone_of(&mary);
    let script = world.server.create_token(world.plant, mary.id, "script").unwrap();
    let (code, _) = world.server.create_enrol_code(world.plant, mary.id).unwrap();
    world.server.disable_account(&world.manager, mary.id).unwrap();
    let other = another_process(&world);
    assert!(other.session(&session).unwrap().is_none());
    for token in [&phone.token, &script] {
        other.authenticate(token).unwrap_err();
    }
    let enrolment = || EnrolRequest {
        code: code.clone(),
        device_name: "Pixel".into(),
        public_key: DeviceKey::from_seed([1; 32]).public(),
    };
    world.server.handle_enrol("192.0.2.1", &enrolment()).unwrap_err();
    assert_eq!(sign_in(&world.server, "mary", "clean water").unwrap(), None, "as if it did not match");
    world.server.create_token(world.plant, mary.id, "script").unwrap_err();
    world.server.reset_password(world.plant, mary.id).unwrap_err();
    world.server.enable_account(&world.manager, mary.id).unwrap();
    signed_in(&world, "mary");
    assert!(world.server.session(&session).unwrap().is_none());
    world.server.authenticate(&phone.token).unwrap_err();
    world.server.handle_enrol("192.0.2.1", &enrolment()).unwrap_err();
}

#[test]
fn a_link_chooses_a_password_once_within_a_day_and_the_last_one_counts() {
    let world = world();
    let choose = |token: &str, password| world.server.choose_password(&Origin::Here, token, password);
    let first = world.server.invite(&world.manager, Rank::Manager, "Mary", " Mary@Example.com ").unwrap();
    assert_eq!(sign_in(&world.server, "mary@example.com", "").unwrap(), None, "no password is no password");
    let second = world.server.reset_password(&world.manager, first.account).unwrap();
    assert!(!choose(&first.token, "well water").unwrap());
    let short = choose(&second.token, "water").unwrap_err();
    assert!(matches!(short, Error::Unfit(Unfit::Password { length: 5 })), "{short:?}");
    assert!(choose(&second.token, "well water").unwrap());
    assert!(!choose(&second.token, "spring water").unwrap());
    let session = sign_in(&world.server, "mary@example.com", "well water").unwrap().unwrap();
    let third = world.server.reset_password(&world.manager, first.account).unwrap();
    assert!(world.server.session(&session).unwrap().is_none(), "a reset ends what was open");
    assert_eq!(sign_in(&world.server, "mary@example.com", "well water").unwrap(), None);
    world.clock.advance(LINK_SPAN);
    assert!(!choose(&third.token, "spring water").unwrap());
    let taken = world.server.invite(&world.manager, Rank::Viewer, "M", "MARY@example.com").unwrap_err();
    assert!(matches!(taken, Error::Unfit(Unfit::LoginTaken(_))), "{taken:?}");
    assert_eq!(world.server.accounts(world.plant).unwrap().len(), 3, "nobody was added by halves");
}

#[test]
fn another_password_ends_the_other_sessions_and_needs_the_old_one() {
    let world = world();
    let (here, elsewhere) = (signed_in(&world, "grace@example.com"), signed_in(&world, "grace@example.com"));
    let author = Author::from(&world.manager);
    let change = |old, new| world.server.change_password(author, &here, old, new).unwrap();
    assert!(!change("dirty water", "well water"));
    assert!(world.server.session(&elsewhere).unwrap().is_some());
    assert!(change("clean water", "well water"));
    assert!(world.server.session(&here).unwrap().is_some());
    assert!(world.server.session(&elsewhere).unwrap().is_none());
    assert_eq!(sign_in(&world.server, "grace@example.com", "clean water").unwrap(), None);
    let again = sign_in(&world.server, "grace@example.com", "well water").unwrap().unwrap();
    world.server.end_other_sessions(author, &again).unwrap();
    assert!(
        world.server.session(&here).unwrap().is_none() && world.server.session(&again).unwrap().is_some()
    );
}

#[test]
fn a_session_ends_when_it_is_not_used_and_at_the_end_of_a_day_however_it_is() {
    let world = world();
    let (idle, busy) = (signed_in(&world, "grace@example.com"), signed_in(&world, "grace@example.com"));
    for _ in 0..11 {
        world.clock.advance(HOUR);
        assert!(world.server.session(&busy).unwrap().is_some());
    }
    assert!(world.server.session(&idle).unwrap().is_none());
    world.clock.advance(HOUR);
    assert!(world.server.session(&busy).unwrap().is_none());
}

#[test]
fn guessing_a_password_is_stopped_by_every_process_and_longer_each_time_whether_the_login_exists_or_not() {
    let world = world();
    let servers = [world.server.as_ref(), &another_process(&world)];
    for login in ["grace@example.com", "nobody@example.com"] {
        for attempt in 0..10 {
            assert_eq!(sign_in(servers[attempt % 2], login, "guess").unwrap(), None);
        }
        for (turn, minutes) in [1, 2, 4, 8, 15, 15].into_iter().enumerate() {
            for server in servers {
                assert_eq!(wait(sign_in(server, login, "clean water")), minutes * 60, "{login}");
            }
            world.clock.advance(i64::try_from(minutes).unwrap() * MINUTE);
            assert_eq!(sign_in(servers[turn % 2], login, "guess").unwrap(), None);
        }
        world.clock.advance(15 * MINUTE);
    }
    signed_in(&world, "grace@example.com");
    assert_eq!(sign_in(servers[1], "grace@example.com", "guess").unwrap(), None, "all is forgotten");
    signed_in(&world, "grace@example.com");
}

#[test]
fn trying_many_logins_from_one_address_is_stopped_and_others_still_sign_in() {
    let world = world();
    for number in 0..50 {
        assert_eq!(sign_in(&world.server, &format!("guess {number}"), "clean water").unwrap(), None);
    }
    assert_eq!(wait(sign_in(&world.server, "grace@example.com", "clean water")), 60);
    assert!(world.server.sign_in("192.0.2.2", "grace@example.com", "clean water").unwrap().is_some());
}

#[test]
fn attempts_at_the_same_moment_are_all_counted() {
    let world = Arc::new(world());
    let tries = (0..4).map(|_| {
        let (world, server) = (world.clone(), another_process(&world));
        thread::spawn(move || {
            let tries = (0..6).map(|_| sign_in(&server, "grace@example.com", "guess"));
            let refused = tries.filter(|result| matches!(result, Err(Error::Wait { .. }))).count();
            drop(world);
            refused
        })
    });
    let refused: usize = tries.collect::<Vec<_>>().into_iter().map(|thread| thread.join().unwrap()).sum();
    assert_eq!(refused, 24 - 10);
}

#[test]
fn of_two_who_use_one_code_at_the_same_moment_one_enrols() {
    let world = world();
    for _ in 0..5 {
        let (code, _) = world.server.create_enrol_code(world.plant, world.rider.id).unwrap();
        let enrolled = (0..4).map(|seed| {
            let (server, code) = (another_process(&world), code.clone());
            thread::spawn(move || {
                let public_key = DeviceKey::from_seed([seed; 32]).public();
                let request = EnrolRequest { code, device_name: "Pixel".into(), public_key };
                server.handle_enrol(&format!("192.0.2.{seed}"), &request).is_ok()
            })
        });
        let enrolled = enrolled.collect::<Vec<_>>().into_iter().filter(|_| true);
        assert_eq!(enrolled.map(|thread| usize::from(thread.join().unwrap())).sum::<usize>(), 1);
    }
    assert_eq!(world.one::<u64>("SELECT count(*) FROM devices"), 5);
}

#[test]
fn a_code_that_was_cancelled_enrols_nobody() {
    let world = world();
    let (code, until) = world.server.create_enrol_code(world.plant, world.rider.id).unwrap();
    world.server.cancel_code(&world.manager, world.rider.id, until).unwrap();
    let public_key = DeviceKey::from_seed([1; 32]).public();
    let request = EnrolRequest { code, device_name: "Pixel".into(), public_key };
    let refused = world.server.handle_enrol("192.0.2.1", &request).unwrap_err();
    assert!(matches!(refused, Error::Refused(Refusal::SignIn { .. })), "{refused:?}");
    world.server.cancel_code(&world.manager, world.rider.id, until).unwrap_err();
}

/// A phone with one mutation rejected and one parked.
fn with_open_records(world: &World) -> Phone {
    let mut phone = world.phone();
    phone.record(world.set_balance(0, 5));
    let parked = r#"{"v":9,"txn":"01936000-0000-7000-8000-000000000001","at":5,"kind":"teleport"}"#;
    phone.record_raw(parked);
    phone.sync(world);
    phone
}

#[test]
fn a_manager_closes_what_was_rejected_or_parked_once_and_the_phones_own_closing_stays() {
    let world = world();
    let mut phone = with_open_records(&world);
    let open =
        "SELECT count(*) FROM mutations WHERE status <> 'applied' AND closer IS NULL AND closed_by IS NULL";
    assert_eq!(world.one::<u64>(open), 2);
    let rider = world.rider.id;
    let author = Author::from(&world.manager);
    let txns = phone.outbox.iter().map(|body| {
        let body: serde_json::Value = serde_json::from_str(body).unwrap();
        body["txn"].as_str().unwrap().parse().unwrap()
    });
    let txns: Vec<_> = txns.collect();
    for txn in &txns {
        world.server.close_record(author, (rider, *txn), " spoke with Amina ").unwrap();
        assert!(
            world.server.close_record(author, (rider, *txn), "again").is_err(),
            "what stands first stands"
        );
    }
    assert_eq!(world.one::<u64>(open), 0);
    let notes: Vec<(String,)> = world.rows("SELECT closed_note FROM mutations WHERE closer IS NOT NULL");
    assert_eq!(notes, [("spoke with Amina".to_owned(),), ("spoke with Amina".to_owned(),)]);
    // The rider says so too, later.
    phone.record(Action::Accept { target: txns[0] });
    assert!(matches!(phone.sync(&world).results[0].answer, Answer::Applied { .. }));
    let both = "SELECT count(*) FROM mutations WHERE closer IS NOT NULL AND closed_by IS NOT NULL";
    assert_eq!(world.one::<u64>(both), 1);
    let cash = phone.record(world.cash(1));
    phone.sync(&world);
    world.server.close_record(author, (rider, cash), "").unwrap_err();
}
