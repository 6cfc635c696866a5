//! What a manager can rely on: what the pages show, what the forms do, and who may use them.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use axum::body::{Body, to_bytes};
use axum::http::{Request, header};
use carboy_protocol::{Action, CustomerId, Field};
use common::browser::{Browser, Fields, encoded, with};
use common::{World, kes, world};
use std::collections::BTreeMap;
use tower::ServiceExt;

fn address(world: &World, form: &str) -> String {
    format!("/customers/{}{form}", world.customer)
}

fn add_customer(world: &World, name: &str, phone: &str) -> CustomerId {
    let fields = BTreeMap::from([(Field::Name, name.to_owned()), (Field::Phone, phone.to_owned())]);
    world.server.add_customer(&world.manager, fields).unwrap()
}

#[tokio::test]
async fn only_who_is_signed_in_sees_anything_and_a_session_ends() {
    let world = world();
    let mut browser = Browser::new(&world);
    let pages = ["/customers", "/conflicts", "/rejected", "/devices", &address(&world, "")];
    for path in pages {
        assert_eq!(browser.get(path).await.location.as_deref(), Some("/sign-in"), "{path}");
    }
    let page = browser.sign_in("grace@example.com", "dirty water").await;
    assert!(page.status == 401 && page.shows("do not match"));
    assert_eq!(browser.sign_in("nobody@example.com", "clean water").await.status, 401);
    assert_eq!(browser.sign_in(" Grace@Example.com", "clean water").await.status, 303);
    for path in pages {
        assert_eq!(browser.get(path).await.status, 200, "{path}");
    }
    let stolen = browser.cookies.clone();
    let sign_out = browser.get("/customers").await.form("/sign-out");
    assert_eq!(browser.post("/sign-out", &sign_out).await.location.as_deref(), Some("/sign-in"));
    browser.cookies = stolen;
    assert_eq!(browser.get("/customers").await.status, 303, "the server has ended it, not only the browser");
    browser.sign_in("grace@example.com", "clean water").await;
    world.clock.advance(12 * 60 * 60 * 1000);
    assert_eq!(browser.get("/customers").await.status, 303);
}

#[tokio::test]
async fn guessing_a_password_is_stopped_for_a_minute() {
    let world = world();
    let mut browser = Browser::new(&world);
    for _ in 0..10 {
        assert_eq!(browser.sign_in("grace@example.com", "guess").await.status, 401);
    }
    assert_eq!(browser.sign_in("grace@example.com", "clean water").await.status, 429);
    world.clock.advance(60_000);
    assert_eq!(browser.sign_in("grace@example.com", "clean water").await.status, 303);
}

#[tokio::test]
async fn a_form_without_its_sessions_token_is_refused_and_changes_nothing() {
    let world = world();
    let mut browser = Browser::signed_in(&world).await;
    let (page, devices) = (browser.get(&address(&world, "")).await, browser.get("/devices").await);
    let adjust = with(page.form(&address(&world, "/adjust")), &[("amount", "5"), ("reason", "r")]);
    let mut stranger = Browser::signed_in(&world).await;
    let foreign = stranger.get("/customers").await.form("/sign-out")["csrf"].clone();
    let device = world.phone().auth.device.to_string();
    let before = world.dump();
    let forms = [
        (address(&world, "/adjust"), adjust),
        (
            address(&world, "/set"),
            with(page.form(&address(&world, "/set")), &[("amount", "5"), ("reason", "r")]),
        ),
        (address(&world, "/profile"), with(page.form(&address(&world, "/profile")), &[("phone", "1")])),
        ("/devices/code".to_owned(), devices.form("/devices/code")),
        ("/devices/revoke".to_owned(), Fields::from([("device".to_owned(), device)])),
        ("/sign-out".to_owned(), page.form("/sign-out")),
    ];
    for (path, fields) in forms {
        let mut without = fields.clone();
        without.remove("csrf");
        for fields in [without, with(fields, &[("csrf", &foreign)])] {
            assert_eq!(browser.post(&path, &fields).await.status, 403, "{path}");
        }
    }
    assert_eq!(world.dump(), before);
    let mut unknown = Browser::new(&world);
    let sign_in = with(unknown.get("/sign-in").await.form("/sign-in"), &[("csrf", "x")]);
    assert_eq!(unknown.post("/sign-in", &sign_in).await.status, 403);
}

#[tokio::test]
async fn a_form_sent_twice_counts_once() {
    let world = world();
    let mut browser = Browser::signed_in(&world).await;
    let page = browser.get(&address(&world, "")).await;
    let amount = [("amount", "1,200.50"), ("reason", "agreed"), ("direction", "more")];
    for (form, values) in [("/adjust", &amount[..]), ("/set", &amount), ("/profile", &[("phone", "0799")])] {
        let path = address(&world, form);
        let fields = with(page.form(&path), values);
        let first = browser.post(&path, &fields).await;
        let once = world.dump();
        // A double click, then the browser's back button an hour later.
        for later in [0, 60 * 60 * 1000] {
            world.clock.advance(later);
            let again = browser.post(&path, &fields).await;
            assert_eq!((again.status, again.location), (303, first.location.clone()), "{form}");
        }
        assert_eq!(world.dump(), once, "{form}");
    }
    assert_eq!(world.ledger(), [120_050, 120_050]);
}

#[tokio::test]
async fn a_form_sent_again_with_other_values_is_shown_again_and_the_first_values_count() {
    let world = world();
    let mut browser = Browser::signed_in(&world).await;
    let path = address(&world, "/adjust");
    let fields = browser.get(&address(&world, "")).await.form(&path);
    browser.submit(&path, &with(fields.clone(), &[("amount", "5"), ("reason", "r")])).await;
    let page = browser.post(&path, &with(fields, &[("amount", "6"), ("reason", "r")])).await;
    assert!(page.status == 422 && page.shows("already sent with other values"));
    assert_eq!(world.ledger(), [500]);
    let again = with(page.form(&path), &[]);
    assert_eq!(again["amount"], "6");
    browser.submit(&path, &again).await;
    assert_eq!(world.ledger(), [500, 600]);
}

#[tokio::test]
async fn a_form_with_a_mistake_is_shown_again_as_it_was_filled_in_and_changes_nothing() {
    let world = world();
    let mut browser = Browser::signed_in(&world).await;
    let page = browser.get(&address(&world, "")).await;
    let before = world.dump();
    let long = "x".repeat(501);
    for (form, values, error) in [
        ("/adjust", [("amount", "12x"), ("reason", "because")], "“12x” is not an amount"),
        ("/adjust", [("amount", "0"), ("reason", "because")], "changes nothing"),
        ("/adjust", [("amount", "5"), ("reason", " ")], "Reason has 0 characters"),
        ("/set", [("amount", "1.234"), ("reason", "because")], "at most 2 digits"),
        ("/set", [("amount", "10000000000.01"), ("reason", "because")], "out of range"),
        ("/profile", [("name", " "), ("phone", "0788")], "Name has 0 characters"),
        ("/profile", [("name", &long), ("phone", "0788")], "Name has 501 characters"),
    ] {
        let path = address(&world, form);
        let page = browser.post(&path, &with(page.form(&path), &values)).await;
        assert!(page.status == 422 && page.shows(error), "{form} {error}: {}", page.html);
        let kept = page.form(&path);
        for (name, value) in values {
            assert_eq!(kept[name], value, "{form}");
        }
    }
    assert_eq!(world.dump(), before);
}

#[tokio::test]
async fn setting_a_balance_while_cash_is_on_its_way_says_why_the_result_is_another() {
    let world = world();
    let opening = Action::AdjustBalance { customer: world.customer, amount: kes(10_000), reason: "o".into() };
    world.act(&opening);
    let mut browser = Browser::signed_in(&world).await;
    let path = address(&world, "/set");
    let fields = browser.get(&address(&world, "")).await.form(&path);
    let mut phone = world.phone();
    phone.record(world.cash(3_000));
    phone.sync(&world);
    let page = browser.submit(&path, &with(fields, &[("amount", "120"), ("reason", "agreed")])).await;
    assert_eq!(world.balance(), 9_000);
    assert!(page.shows("The balance became KES 90.00, not KES 120.00, because KES −30.00 came in"));
    let plain = page.form(&path);
    let page = browser.submit(&path, &with(plain, &[("amount", "50"), ("reason", "agreed")])).await;
    assert!(page.shows("KES −40.00 went on the ledger; the balance became KES 50.00."));
}

#[tokio::test]
async fn a_credit_is_typed_as_such() {
    let world = world();
    let mut browser = Browser::signed_in(&world).await;
    let path = address(&world, "/set");
    let fields = browser.get(&address(&world, "")).await.form(&path);
    let values = [("amount", "7.50"), ("reason", "paid ahead"), ("direction", "less")];
    let page = browser.submit(&path, &with(fields, &values)).await;
    assert_eq!(world.balance(), -750);
    assert!(page.shows("credit"));
}

#[tokio::test]
async fn both_values_of_a_conflict_are_shown_and_either_can_be_kept() {
    let world = world();
    let mut phone = world.phone();
    phone.record(world.edit(Field::Phone, "0722"));
    world.act(&world.edit(Field::Phone, "0711"));
    phone.sync(&world);
    let mut browser = Browser::signed_in(&world).await;
    assert!(browser.get("/conflicts").await.shows("Kiosk"));
    let page = browser.get(&address(&world, "")).await;
    assert!(page.shows("Phone: 2 values") && page.shows("Grace, manager") && page.shows("Amina, rider"));
    let path = address(&world, "/keep");
    let losers = page.forms(&path).into_iter().find(|form| form["value"] == "0722").unwrap();
    let page = browser.submit(&path, &losers).await;
    assert!(!page.shows("2 values"));
    assert_eq!(world.phone_numbers(), ["0722"]);
    assert!(browser.get("/conflicts").await.shows("No conflicts."));
}

#[tokio::test]
async fn editing_a_profile_that_changed_meanwhile_keeps_both_values() {
    let world = world();
    let mut browser = Browser::signed_in(&world).await;
    let path = address(&world, "/profile");
    let stale = browser.get(&address(&world, "")).await.form(&path);
    let mut phone = world.phone();
    phone.record(world.edit(Field::Phone, "0722"));
    phone.record(world.edit(Field::Note, "gate 2"));
    phone.sync(&world);
    // A mistake on the way does not make the manager someone who has seen the rider's number.
    let page = browser.post(&path, &with(stale, &[("phone", "0711"), ("name", "")])).await;
    assert_eq!(page.status, 422);
    let page = browser.submit(&path, &with(page.form(&path), &[("name", "Kiosk")])).await;
    assert!(page.shows("Phone: 2 values") && page.shows("gate 2"), "the note was not touched by the form");
    let page = browser.submit(&path, &page.form(&path)).await;
    assert!(page.shows("Nothing was changed."));
}

#[tokio::test]
async fn a_browsers_line_ends_are_no_change() {
    let world = world();
    let mut browser = Browser::signed_in(&world).await;
    let path = address(&world, "/profile");
    let lines = [("note", "two\r\nlines")];
    let page = browser.get(&address(&world, "")).await;
    let page = browser.submit(&path, &with(page.form(&path), &lines)).await;
    assert_eq!(world.profile().shown(Field::Note), Some("two\nlines"));
    let page = browser.submit(&path, &with(page.form(&path), &lines)).await;
    assert!(page.shows("Nothing was changed."));
}

#[tokio::test]
async fn what_people_typed_is_never_markup() {
    let world = world();
    let evil = "<script>alert('x')</script>\"><b>";
    let customer = add_customer(&world, evil, evil);
    let amount = kes(1);
    world.act(&Action::AdjustBalance { customer, amount, reason: evil.into() });
    let mut phone = world.phone();
    phone.record(Action::FailDelivery {
        customer,
        reason: carboy_protocol::FailReason::Other,
        note: Some(evil.into()),
    });
    phone.record_raw(&serde_json::json!({ "damaged": evil }).to_string());
    phone.record(Action::AdjustBalance { customer, amount, reason: evil.into() });
    phone.sync(&world);
    world.server.create_rider(world.plant, evil).unwrap();
    let mut browser = Browser::signed_in(&world).await;
    let path = format!("/customers/{customer}");
    let search = format!("/customers?q={}", encoded(evil));
    for path in ["/customers", &search, &path, "/rejected", "/devices", "/rounds"] {
        let page = browser.get(path).await;
        assert!(
            page.shows(evil) && !page.html.contains("<script>") && !page.html.contains("><b>\""),
            "{path}"
        );
    }
}

#[tokio::test]
async fn customers_are_found_by_name_and_number_however_these_are_written() {
    let world = world();
    add_customer(&world, "Café Élan 50%", "+254 711-222 333");
    add_customer(&world, "Caff_ine", "0733");
    let mut browser = Browser::signed_in(&world).await;
    for (query, found, not_found) in [
        ("éLAN", "Café Élan", "Caff_ine"),
        ("711222333", "Café Élan", "Caff_ine"),
        ("0 7 33", "Caff_ine", "Café Élan"),
        ("0%", "Café Élan", "Caff_ine"),
        ("f_", "Caff_ine", "Café Élan"),
    ] {
        let page = browser.get(&format!("/customers?q={}", encoded(query))).await;
        assert!(page.shows(found) && !page.shows(not_found), "{query}");
    }
    assert!(browser.get("/customers?q=zzz").await.shows("No customer matches."));
}

#[tokio::test]
async fn a_long_list_has_pages_and_every_customer_is_on_one() {
    let world = world();
    for n in 0..60 {
        add_customer(&world, &format!("Shop {n:02}"), "");
    }
    let mut browser = Browser::signed_in(&world).await;
    let (first, second) = (browser.get("/customers").await, browser.get("/customers?page=2").await);
    assert!(first.shows("Page 1 of 2") && second.shows("Page 2 of 2"));
    for n in 0..60 {
        let name = format!("Shop {n:02}");
        assert!(first.shows(&name) != second.shows(&name), "{name}");
    }
    assert_eq!(browser.get("/customers?page=99999999999999").await.status, 200);
    for n in 1..=45 {
        world.act(&Action::AdjustBalance {
            customer: world.customer,
            amount: kes(n),
            reason: format!("line {n}"),
        });
    }
    let last = browser.get(&address(&world, "?page=3")).await;
    assert!(last.shows("“line 5”") && last.shows("“line 1”") && !last.shows("“line 6”"));
    assert!(last.shows("KES 0.15"), "the balance behind line 5 is 1 + … + 5");
}

#[tokio::test]
async fn a_code_from_the_devices_page_enrols_a_phone_and_revoking_ends_its_access() {
    let world = world();
    let mut browser = Browser::signed_in(&world).await;
    let form = browser.get("/devices").await.form("/devices/code");
    let account = world.rider.id.to_string();
    let page = browser.post("/devices/code", &with(form, &[("account", &account)])).await;
    let code = page.html.split("class=\"figure\">").nth(1).unwrap().split('<').next().unwrap().to_owned();
    assert!(page.shows("Code for Amina") && page.html.contains("<svg"));
    let request = carboy_protocol::wire::EnrolRequest {
        code,
        device_name: "Nokia".into(),
        public_key: world.new_key().public(),
    };
    let token = world.server.handle_enrol("test", &request).unwrap().token;
    world.server.authenticate(&token).unwrap();
    let page = browser.get("/devices").await;
    assert!(page.shows("Nokia"));
    browser.submit("/devices/revoke", &page.form("/devices/revoke")).await;
    world.server.authenticate(&token).unwrap_err();
    assert!(browser.get("/devices").await.shows("revoked"));
}

#[tokio::test]
async fn rejected_and_parked_mutations_are_listed_as_they_came() {
    let world = world();
    let mut phone = world.phone();
    phone.record(world.cash(-5));
    phone
        .record_raw(r#"{"v":1,"txn":"01936000-0000-7000-8000-000000000001","kind":"sing","song":"Malaika"}"#);
    phone.sync(&world);
    let mut browser = Browser::signed_in(&world).await;
    let page = browser.get("/rejected").await;
    for body in &phone.outbox {
        assert!(page.shows(body), "{body}");
    }
    assert!(page.shows("cash out of range") && page.shows("parked") && page.shows("Kiosk"));
}

#[tokio::test]
async fn what_its_rider_has_dealt_with_is_no_more_open_and_says_how() {
    let world = world();
    let mut phone = world.phone();
    let rejected: Vec<_> = (1..=4).map(|n| phone.record(world.cash(-n))).collect();
    phone.record_replacing(Some(rejected[0]), world.cash(1));
    phone.record(Action::Withdraw { target: rejected[1], reason: None, restore: None });
    phone.record(Action::Accept { target: rejected[2] });
    phone.sync(&world);
    let mut browser = Browser::signed_in(&world).await;
    let (open, dealt) = (browser.get("/rejected").await, browser.get("/rejected?dealt=true").await);
    for (n, body) in phone.outbox[..4].iter().enumerate() {
        assert_eq!((open.shows(body), dealt.shows(body)), (n == 3, n != 3), "{body}");
    }
    for words in ["sent again as corrected", "withdrawn by the rider", "accepted by the rider"] {
        assert!(dealt.shows(words) && !open.shows(words), "{words}");
    }
    assert!(open.html.contains("Rejected <span class=\"count\">1</span>"), "the count is of the open ones");
}

#[tokio::test]
async fn what_was_withdrawn_stands_struck_beside_the_line_that_took_it_back() {
    let world = world();
    let mut phone = world.phone();
    let delivery = phone.record(world.delivery(4, 2));
    let failed = phone.record(Action::FailDelivery {
        customer: world.customer,
        reason: carboy_protocol::FailReason::Closed,
        note: None,
    });
    for target in [delivery, failed] {
        let reason = Some("wrong shop".to_owned());
        phone.record(Action::Withdraw { target, reason, restore: None });
    }
    phone.sync(&world);
    let mut browser = Browser::signed_in(&world).await;
    let page = browser.get(&address(&world, "")).await;
    assert!(page.shows("Withdrawn: Delivery: 4 × 20L, 2 empties back") && page.shows("“wrong shop”"));
    assert!(page.shows("<s>Delivery: 4 × 20L, 2 empties back</s>"));
    assert!(page.shows("<s>closed</s>"), "a failed visit too");
}

#[tokio::test]
async fn a_customer_added_by_mistake_is_listed_as_closed() {
    let world = world();
    let mut phone = world.phone();
    let customer = CustomerId::from_bytes([9; 16]);
    let fields = BTreeMap::from([(Field::Name, "New shop".to_owned())]);
    let target = phone.record(Action::AddCustomer { customer, fields, route: None });
    phone.record(Action::Withdraw { target, reason: None, restore: None });
    phone.sync(&world);
    let mut browser = Browser::signed_in(&world).await;
    assert!(browser.get("/customers?q=new").await.shows("closed"));
    assert!(!browser.get("/customers?q=kiosk").await.shows("closed"));
    assert!(browser.get(&format!("/customers/{customer}")).await.shows("Added by mistake and closed"));
}

#[tokio::test]
async fn every_kind_that_is_rejected_is_named_in_words() {
    let world = world();
    let mut phone = world.phone();
    let nobody = CustomerId::from_bytes([9; 16]);
    let ugx = carboy_protocol::Money::new(500, "UGX".parse().unwrap());
    let no_stock = |code: &str| {
        let line = carboy_protocol::StockLine { product: code.parse().unwrap(), full: -1, empty: 3 };
        vec![line]
    };
    let target = carboy_protocol::TxnId::from_bytes([9; 16]);
    for action in [
        Action::NoteProgress { customer: nobody, progress: carboy_protocol::Progress::Arrived },
        Action::AddCustomer { customer: nobody, fields: BTreeMap::new(), route: None },
        Action::LoadStock { lines: no_stock("20L") },
        Action::ReturnStock { lines: no_stock("5L") },
        Action::HandInCash { amount: ugx, note: None },
        Action::Withdraw { target, reason: None, restore: None },
        Action::Accept { target },
    ] {
        phone.record(action);
    }
    phone.sync(&world);
    let page = Browser::signed_in(&world).await.get("/rejected").await;
    for words in [
        "Arrived there",
        "New customer",
        "Loaded: -1 × 20L, 3 empty",
        "Given back to the plant: -1 × 5L",
        "Cash handed in: UGX 5",
        "An earlier record withdrawn",
        "Left at an earlier record’s rejection",
        "unknown record",
        "other currency",
    ] {
        assert!(page.shows(words), "{words}");
    }
}

#[tokio::test]
async fn a_deliverys_photos_are_beside_its_line_and_only_a_picture_is_shown() {
    let world = world();
    let mut phone = world.phone();
    let files =
        [&b"\xff\xd8\xffjpeg"[..], b"\x89PNG\r\n\x1a\npng", b"RIFF1234WEBP", b"<script>alert(1)</script>"];
    let hashes = files.map(carboy_protocol::PhotoHash::of);
    let photo = |(bytes, hash): (&&[u8], &carboy_protocol::PhotoHash)| carboy_protocol::Photo {
        hash: *hash,
        bytes: bytes.len() as u64,
    };
    let mut delivery = world.delivery(1, 0);
    if let Action::ConfirmDelivery { photos, .. } = &mut delivery {
        *photos = files.iter().zip(&hashes).map(photo).collect();
    }
    phone.record(delivery);
    phone.sync(&world);
    let mut browser = Browser::signed_in(&world).await;
    let page = browser.get(&address(&world, "")).await;
    assert_eq!(page.html.matches("photo on its way").count(), 4);
    assert_eq!(browser.get(&format!("/photos/{}", hashes[0])).await.status, 404);
    for (hash, file) in hashes.iter().zip(files) {
        assert!(world.server.handle_photo(&phone.auth, *hash, 0, file).unwrap().complete);
    }
    let page = browser.get(&address(&world, "")).await;
    assert_eq!((page.html.matches("<img").count(), page.html.matches("Attached file").count()), (3, 1));
    let kinds = ["image/jpeg", "image/png", "image/webp", "application/octet-stream"];
    for ((hash, kind), file) in hashes.iter().zip(kinds).zip(files) {
        let request = Request::get(format!("/photos/{hash}"));
        let cookies = browser.cookies.iter().map(|(name, value)| format!("{name}={value}"));
        let request = request.header(header::COOKIE, cookies.collect::<Vec<_>>().join("; "));
        let response = browser.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        let is_picture = kind.starts_with("image/");
        assert_eq!(parts.headers[header::CONTENT_TYPE], kind);
        assert_eq!(parts.headers[header::CONTENT_DISPOSITION] == "attachment", !is_picture, "{kind}");
        assert_eq!(parts.headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff");
        assert!(parts.headers[header::CACHE_CONTROL].to_str().unwrap().starts_with("private"));
        assert_eq!(to_bytes(body, usize::MAX).await.unwrap(), file);
    }
    let other = world.server.create_plant("Other", "UGX".parse().unwrap()).unwrap();
    world.server.create_owner(other, "Ali", "ali@example.com", "clean water").unwrap();
    let mut stranger = Browser::new(&world);
    let address = format!("/photos/{}", hashes[0]);
    assert_eq!(stranger.get(&address).await.location.as_deref(), Some("/sign-in"));
    stranger.sign_in("ali@example.com", "clean water").await;
    assert_eq!(stranger.get(&address).await.status, 404);
}

#[tokio::test]
async fn another_plants_customers_and_devices_do_not_exist_here() {
    let world = world();
    let other = world.server.create_plant("Other", "UGX".parse().unwrap()).unwrap();
    world.server.create_owner(other, "Ali", "ali@example.com", "clean water").unwrap();
    let mut browser = Browser::new(&world);
    browser.sign_in("ali@example.com", "clean water").await;
    assert_eq!(browser.get(&address(&world, "")).await.status, 404);
    let csrf = browser.get("/customers").await.form("/sign-out");
    let phone = world.phone();
    let fields = with(csrf, &[("device", &phone.auth.device.to_string())]);
    assert_eq!(browser.post("/devices/revoke", &fields).await.status, 404);
    world.server.authenticate(&phone.token).unwrap();
    let account = world.rider.id.to_string();
    assert_eq!(browser.post("/devices/code", &with(fields, &[("account", &account)])).await.status, 404);
}

#[tokio::test]
async fn an_address_that_leads_nowhere_is_a_page_that_says_so() {
    let world = world();
    let mut browser = Browser::signed_in(&world).await;
    let nobody = CustomerId::from_bytes([9; 16]);
    for path in ["/nothing", &format!("/customers/{nobody}")] {
        let page = browser.get(path).await;
        assert!(page.status == 404 && page.shows("There is no such"), "{path}");
    }
}
