//! The audit trail: every change is on it once, with who, whence and when, and every line can be reached.

use crate::common::browser::Browser;
use crate::common::{DAY, World};
use crate::world;
use carboy_protocol::Action;
use carboy_server::{Author, Origin, Rank};

/// The changes on the trail, as kind, detail and address, in the order in which they were made.
fn changes(world: &World) -> Vec<(String, String, Option<String>)> {
    world.rows("SELECT kind, detail, address FROM audit ORDER BY number")
}

fn kinds(world: &World) -> Vec<String> {
    changes(world).into_iter().map(|(kind, _, _)| kind).collect()
}

#[test]
fn each_change_of_people_devices_and_the_plant_is_on_the_trail_once() {
    let world = world();
    let browser = Origin::Browser { address: "192.0.2.7".into() };
    let by = Author { account: &world.manager, origin: &browser };
    let server = &world.server;
    assert_eq!(kinds(&world), ["plant_made", "account_added", "account_added"]);
    let before = changes(&world).len();
    let phone = world.phone();
    let link = server.invite(by, Rank::Manager, "Mary", "mary").unwrap();
    server.choose_password(&browser, &link.token, "clean water").unwrap();
    server.set_rank(by, link.account, Rank::Viewer).unwrap();
    server.set_rank(by, link.account, Rank::Viewer).unwrap();
    server.reset_password(by, link.account).unwrap();
    server.disable_account(by, link.account).unwrap();
    server.disable_account(by, link.account).unwrap();
    server.enable_account(by, link.account).unwrap();
    server.revoke_device(by, phone.auth.device).unwrap();
    server.revoke_device(by, phone.auth.device).unwrap();
    server.put_product(by, &"20L".parse().unwrap(), "Refill", crate::common::kes(100)).unwrap();
    server.put_route(by, None, "North", &[world.customer]).unwrap();
    server.set_plant_formats(by, "Africa/Nairobi", "sw").unwrap();
    assert_eq!(
        kinds(&world)[before..],
        [
            "code_made",
            "device_enrolled",
            "account_added",
            "password_chosen",
            "rank_changed",
            "password_reset",
            "account_disabled",
            "account_enabled",
            "device_revoked",
            "product_changed",
            "route_changed",
            "settings_changed",
        ]
    );
    let (_, detail, address) = changes(&world).pop().unwrap();
    assert_eq!((detail.as_str(), address.as_deref()), ("Africa/Nairobi, sw", Some("192.0.2.7")));
    let revoked = changes(&world).into_iter().find(|(kind, _, _)| kind == "device_revoked").unwrap();
    assert_eq!(revoked.1, "Amina: Pixel");
    let numbers: Vec<(u64,)> = world.rows("SELECT number FROM audit ORDER BY number");
    assert!((1..).zip(numbers).all(|(expected, (number,))| number == expected), "without a gap");
}

#[test]
fn signing_in_failing_to_and_being_locked_out_are_on_the_trail_with_the_address() {
    let world = world();
    let before = changes(&world).len();
    for _ in 0..10 {
        assert_eq!(world.server.sign_in("192.0.2.7", "grace@example.com", "guess").unwrap(), None);
    }
    world.server.sign_in("192.0.2.7", "grace@example.com", "guess").unwrap_err();
    assert_eq!(world.server.sign_in("192.0.2.7", "nobody@example.com", "guess").unwrap(), None);
    world.clock.advance(60_000);
    let token = world.server.sign_in("192.0.2.7", "grace@example.com", "clean water").unwrap().unwrap();
    world.server.sign_out(&token, &Origin::Browser { address: "192.0.2.7".into() }).unwrap();
    let made = changes(&world).split_off(before);
    assert_eq!(made.len(), 12, "{made:?}");
    assert!(made.iter().all(|(_, _, address)| address.as_deref() == Some("192.0.2.7")));
    let count = |wanted: &str| made.iter().filter(|(kind, _, _)| kind == wanted).count();
    let counts = ["sign_in_failed", "locked_out", "signed_in", "signed_out"].map(count);
    assert_eq!(counts, [9, 1, 1, 1]);
    let stored = format!("{:?}", world.dump());
    assert!(!stored.contains("guess"), "what was typed as a password is nowhere");
}

#[tokio::test]
async fn a_line_says_who_did_it_with_what_and_from_where() {
    let world = world();
    let mut phone = world.phone();
    phone.auth.origin = Origin::Device { device: phone.auth.device, address: "198.51.100.9".into() };
    phone.record(world.cash(700));
    phone.sync(&world);
    let script = world.server.create_token(world.plant, world.manager.id, "books").unwrap();
    let script = world.server.authenticate(&script).unwrap();
    let author = Author { account: &script.account, origin: &script.origin };
    world.server.act(author, world.server.new_txn().unwrap(), &world.set_balance(-700, 0)).unwrap();
    let mut browser = Browser::signed_in(&world).await;
    let page = browser.get("/audit?kind=collect_cash").await;
    assert!(page.shows("phone Pixel") && page.shows("198.51.100.9") && page.shows("Kiosk"));
    assert!(browser.get("/audit?kind=set_balance").await.shows("script books"));
    let page = browser.get("/audit?kind=signed_in").await;
    assert!(page.shows("Signed in") && page.shows("dashboard"));
    assert!(browser.get("/audit?kind=plant_made").await.shows("on the server"));
}

/// The lines of all pages of the trail that begins at `path`, and how many pages there are.
async fn lines(browser: &mut Browser, path: &str) -> (Vec<String>, usize) {
    let (mut lines, mut pages, mut next) = (Vec::new(), 0, path.to_owned());
    loop {
        let html = browser.get(&next).await.html;
        pages += 1;
        let cards = html.split("<article class=\"card entry\">").skip(1);
        lines.extend(cards.map(|card| card.split("</h2>").next().unwrap().replace("<h2>", "")));
        let Some((_, link)) = html.split_once("rel=\"next\" href=\"") else { return (lines, pages) };
        next = format!("/audit{}", link.split('"').next().unwrap().replace("&amp;", "&"));
    }
}

#[tokio::test]
async fn paging_passes_over_no_line_and_shows_none_twice_even_where_many_have_one_time() {
    let world = world();
    let mut phone = world.phone();
    for minor in 1..=120 {
        phone.record(world.cash(minor));
        if minor % 40 == 0 {
            phone.sync(&world);
        }
    }
    for number in 0..60 {
        world.server.create_rider(world.plant, &format!("Rider {number}")).unwrap();
        if number % 20 == 0 {
            world.clock.advance(1);
        }
    }
    let mut browser = Browser::signed_in(&world).await;
    let (all, pages) = lines(&mut browser, "/audit").await;
    // The plant, two people and a customer, a code, a phone, and the signing in.
    assert_eq!((all.len(), pages), (120 + 60 + 7, 4));
    let mut distinct = all.clone();
    distinct.sort();
    distinct.dedup();
    assert_eq!(distinct.len(), all.len(), "each line once");
    let cash: Vec<_> = all.iter().filter(|line| line.contains("Cash collected")).collect();
    assert_eq!(cash.len(), 120);
    assert!(cash[0].contains("1.20") && cash[119].contains("0.01"), "newest first: {cash:?}");
}

#[tokio::test]
async fn the_trail_is_filtered_by_person_kind_customer_and_day() {
    let world = world();
    let mut phone = world.phone();
    phone.record(world.cash(100));
    phone.record(Action::StartShift { route: None });
    phone.sync(&world);
    world.clock.advance(DAY);
    phone.record(world.cash(200));
    phone.sync(&world);
    let mut browser = Browser::signed_in(&world).await;
    let amina = world.rider.id;
    let (person, _) = lines(&mut browser, &format!("/audit?person={amina}")).await;
    assert_eq!(person.len(), 6, "what she did, and her account, code and phone: {person:?}");
    assert_eq!(lines(&mut browser, "/audit?kind=start_shift").await.0.len(), 1);
    let customer = format!("/audit?customer={}&person=&kind=&day=", world.customer);
    assert_eq!(lines(&mut browser, &customer).await.0.len(), 3, "added, and two payments");
    let cash = "/audit?kind=collect_cash&day=";
    assert_eq!(lines(&mut browser, &format!("{cash}2024-11-23")).await.0.len(), 1);
    assert_eq!(lines(&mut browser, &format!("{cash}2024-11-24")).await.0.len(), 1);
    assert_eq!(lines(&mut browser, &format!("{cash}2024-11-25")).await.0.len(), 0);
    assert_eq!(browser.get("/audit?day=never").await.status, 400);
}
