//! The dashboard in a real browser, on a phone's width and on a desk's, served by the real program.
//!
//! Every page that a story comes by has no serious finding of axe-core, cannot be moved sideways, says nothing on the
//! console, and leaves its picture in `target/screens`.
#![allow(unreachable_pub, clippy::unwrap_used, reason = "helpers of tests")]

mod chromium;
#[path = "../common/patience.rs"]
mod patience;
mod plant;

use carboy_protocol::*;
use chromium::{Chromium, Looks};
use fantoccini::key::Key;
use plant::{Phone, Plant};
use std::collections::BTreeMap;

const PHONE: Looks = Looks { width: 360, scripts: true, language: "en" };
const DESK: Looks = Looks { width: 1280, ..PHONE };
const NO_SCRIPTS: Looks = Looks { scripts: false, ..PHONE };

/// Tells the story of a manager who has signed in, with each of these looks, each time in a plant of its own.
fn signed_in(all: &[Looks], story: impl Fn(&Plant, &Chromium)) {
    for looks in all {
        let plant = Plant::served();
        let page = Chromium::open(&plant.address, *looks);
        sign_in(&plant, &page);
        story(&plant, &page);
    }
}

fn sign_in(plant: &Plant, page: &Chromium) {
    page.go("/sign-in");
    page.fill("[name=login]", plant.text("/manager/login"));
    page.fill("[name=password]", plant.text("/manager/password"));
    page.click("form[action='/sign-in'] button");
    page.sees("form[action='/sign-out']");
}

fn kes(minor: i64) -> Money {
    Money::new(minor, "KES".parse().unwrap())
}

/// A shift with a delivery, a failed one, and cash.
fn a_mornings_work(plant: &Plant, phone: &mut Phone) {
    let route = plant.text("/routes/0/route").parse().unwrap();
    let stop = |nth| plant.text(&format!("/routes/0/stops/{nth}")).parse().unwrap();
    phone.sends(plant, Action::StartShift { route: Some(route) });
    phone.sends(plant, delivery(stop(0), 7));
    phone.sends(plant, Action::CollectCash { customer: stop(0), amount: kes(105_000) });
    let (reason, note) = (FailReason::Closed, Some("shutter down".to_owned()));
    phone.sends(plant, Action::FailDelivery { customer: stop(1), reason, note });
}

fn delivery(customer: CustomerId, delivered: i32) -> Action {
    let product = "20L".parse().unwrap();
    let lines = vec![DeliveryLine { product, delivered, empties: 0, unit_price: 15_000 }];
    Action::ConfirmDelivery { customer, lines, currency: kes(0).currency, proof: None, photos: vec![] }
}

fn at(customer: CustomerId) -> String {
    format!("/customers/{customer}")
}

#[test]
fn a_manager_signs_in_and_out_and_a_wrong_password_is_told() {
    for looks in [PHONE, DESK, NO_SCRIPTS] {
        let plant = Plant::served();
        let page = Chromium::open(&plant.address, looks);
        page.go("/");
        page.arrives_at("/sign-in");
        page.looks_right("sign-in");
        page.fill("[name=login]", plant.text("/manager/login"));
        page.fill("[name=password]", "wrong");
        page.click("form[action='/sign-in'] button");
        page.sees("[role=alert]");
        page.was_quiet(&[401]);
        page.looks_right("sign-in-refused");
        sign_in(&plant, &page);
        page.go("/customers");
        page.looks_right("customers");
        page.click("form[action='/sign-out'] button");
        page.arrives_at("/sign-in");
        page.go("/customers");
        page.arrives_at("/sign-in");
    }
}

#[test]
fn a_payment_that_arrives_while_a_balance_is_set_counts_and_the_page_says_why() {
    signed_in(&[PHONE, DESK, NO_SCRIPTS], |plant, page| {
        let (customer, mut phone) = (plant.customer(2), plant.phone());
        page.go(&at(customer));
        page.looks_right("customer");
        page.click("details:has(form[action$='/set']) > summary");
        page.fill("form[action$='/set'] [name=amount]", "120");
        page.fill("form[action$='/set'] [name=reason]", "agreed on the phone");
        // Recorded in a basement an hour ago: it comes while the form is being filled in.
        phone.sends(plant, Action::CollectCash { customer, amount: kes(3_000) });
        if page.looks.scripts {
            page.sees("form[action$='/set'] .stale");
        }
        page.click("form[action$='/set'] button");
        for amount in ["90.00", "120.00", "30.00"] {
            page.reads(".flash", amount);
        }
        page.sees(".ledger .note");
        page.looks_right("customer-balance-set");
    });
}

#[test]
fn a_conflict_is_found_and_settled() {
    signed_in(&[PHONE, DESK, NO_SCRIPTS], |plant, page| {
        let (customer, mut phone) = (plant.customer(1), plant.phone());
        let seen = phone.profile(plant, customer);
        page.go(&at(customer));
        page.click("details:has(form[action$='/profile']) > summary");
        page.fill("form[action$='/profile'] [name=phone]", "0722 000 001");
        page.looks_right("customer-edit");
        page.click("form[action$='/profile'] button");
        page.sees(".flash");
        let edit = Edit {
            changes: BTreeMap::from([(Field::Phone, "0733 000 002".to_owned())]),
            context: seen.clock(),
            lamport: seen.next_lamport(),
        };
        phone.sends(plant, Action::UpdateProfile { customer, edit });
        page.go("/conflicts");
        page.looks_right("conflicts");
        page.click(&format!("main a[href='{}']", at(customer)));
        page.reads(".conflict", "0722 000 001");
        page.reads(".conflict", "0733 000 002");
        page.looks_right("customer-conflict");
        page.click(".conflict form:has([value='0733 000 002']) button");
        page.sees(".flash");
        assert_eq!(page.count(".conflict"), 0);
        page.reads(".profile", "0733 000 002");
        page.go("/conflicts");
        assert_eq!(page.count("main a[href^='/customers/']"), 0);
    });
}

#[test]
fn a_rejected_mutation_is_seen_until_it_is_dealt_with() {
    signed_in(&[PHONE, DESK, NO_SCRIPTS], |plant, page| {
        let mut phone = plant.phone();
        let unknown = CustomerId::from_bytes([7; 16]);
        let rejected = phone.sends(plant, Action::CollectCash { customer: unknown, amount: kes(3_000) });
        page.go("/rejected");
        assert_eq!(page.count("main article"), 1);
        page.reads("main article", "30.00");
        page.looks_right("rejected");
        let corrected = Action::CollectCash { customer: plant.customer(0), amount: kes(3_000) };
        phone.sends_replacing(plant, Some(rejected), corrected);
        page.go("/rejected");
        assert_eq!(page.count("main article"), 0);
        page.click("main a[href='/rejected?dealt=true']");
        assert_eq!(page.count("main article"), 1);
        page.looks_right("rejected-dealt-with");
    });
}

#[test]
fn a_phone_is_enrolled_with_a_code_and_loses_its_access_at_once() {
    signed_in(&[PHONE, DESK, NO_SCRIPTS], |plant, page| {
        page.go("/devices");
        page.choose("form[action='/devices/code'] [name=account]", plant.text("/riders/1/account"));
        page.click("form[action='/devices/code'] button");
        page.sees(".qr svg");
        page.looks_right("devices-code");
        let code = page.text(".figure");
        let phone = plant.phone_with(code.trim());
        assert_eq!(phone.status(plant), 200);
        page.go("/devices");
        page.reads("article.device", plant.text("/riders/1/name"));
        page.looks_right("devices");
        page.click("article.device details > summary");
        page.click("form[action='/devices/revoke'] button");
        page.sees("article.device:not(:has(form))");
        page.looks_right("devices-revoked");
        assert_eq!(phone.status(plant), 401);
    });
}

#[test]
fn a_delivery_appears_on_a_page_that_stays_open() {
    signed_in(&[PHONE, DESK], |plant, page| {
        let mut phone = plant.phone();
        page.go("/rounds");
        page.looks_right("rounds-empty");
        page.leaves_a_mark();
        a_mornings_work(plant, &mut phone);
        page.reads("main article", "1,050.00");
        page.looks_right("rounds");
        phone.sends(plant, delivery(plant.customer(0), 4_321));
        page.reads("main article", "4,328");
        assert!(page.has_the_mark(), "the page was loaded anew");
    });
}

#[test]
fn a_spreadsheet_with_bad_rows_is_looked_at_and_its_good_rows_taken() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("customers.csv");
    let rows =
        ["Name,Phone,Opening balance", "New Kiosk,0799 100 200,150", ",0799 100 201,", "Bad,0799,much"];
    std::fs::write(&file, rows.join("\n")).unwrap();
    signed_in(&[PHONE, DESK, NO_SCRIPTS], |_, page| {
        page.go("/customers");
        page.click("main a[href='/import']");
        page.looks_right("import");
        page.attach("[type=file]", file.to_str().unwrap());
        page.click("form[action='/import'] button");
        page.reads("main", "New Kiosk");
        page.reads(".wrong", "Line 3 · Name");
        page.reads(".wrong", "Line 4 · Opening balance");
        page.looks_right("import-preview");
        page.click("form[action^='/import/'] button");
        page.sees(".flash");
        page.looks_right("import-done");
        page.go("/customers?q=New+Kiosk");
        page.reads("main .rows", "150.00");
        page.go("/customers?q=0799+100+201");
        assert_eq!(page.count("main .rows a"), 0);
    });
}

#[test]
fn every_page_is_in_order_in_every_language() {
    let arabic = Looks { language: "ar", ..DESK };
    let languages = ["en", "fr", "sw", "hi", "ar"].map(|language| Looks { language, ..PHONE });
    let plant = Plant::served();
    let mut phone = plant.phone();
    a_mornings_work(&plant, &mut phone);
    phone.sends(&plant, Action::CollectCash { customer: CustomerId::from_bytes([7; 16]), amount: kes(1) });
    let mut findings = Vec::new();
    for looks in languages.into_iter().chain([DESK, arabic]) {
        let page = Chromium::open(&plant.address, looks);
        sign_in(&plant, &page);
        assert_eq!(page.attribute("html", "lang"), looks.language);
        assert_eq!(page.attribute("html", "dir"), if looks.language == "ar" { "rtl" } else { "ltr" });
        let mut paths = page.links("header nav a");
        assert!(paths.len() > 3, "{paths:?}");
        paths.extend([at(plant.customer(0)), "/import".to_owned(), "/rejected?dealt=true".to_owned()]);
        for path in paths {
            page.go(&path);
            let name = path.split(['/', '?']).nth(1).unwrap_or_default();
            findings.extend(page.findings(&format!("{}-{name}", looks.language)));
        }
        page.go("/nowhere");
        page.was_quiet(&[404]);
        findings.extend(page.findings(&format!("{}-nowhere", looks.language)));
    }
    assert_eq!(findings, [""; 0]);
}

#[test]
fn a_balance_is_set_with_the_keyboard_alone_and_the_focus_is_always_seen() {
    let plant = Plant::served();
    let page = Chromium::open(&plant.address, DESK);
    let (tab, enter) = (char::from(Key::Tab).to_string(), char::from(Key::Enter).to_string());
    let to = |css: &str, keys: &str| {
        for _ in 0..100 {
            page.press(&tab);
            assert!(page.shows_the_focus(), "on the way to {css}");
            if page.has_the_focus(css) {
                return page.press(keys);
            }
        }
        panic!("no way to {css} by the keyboard");
    };
    page.go("/sign-in");
    to("[name=login]", plant.text("/manager/login"));
    to("[name=password]", &(plant.text("/manager/password").to_owned() + &enter));
    page.sees("form[action='/sign-out']");
    to("a[href='#content']", &enter);
    page.go("/customers");
    to("[name=q]", &format!("Baraka{enter}"));
    page.sees("[name=q][value=Baraka]");
    to("main .rows a", &enter);
    page.sees("form[action$='/set']");
    to("details:has(form[action$='/set']) > summary", &enter);
    to("form[action$='/set'] [name=amount]", "77");
    to("form[action$='/set'] [name=reason]", &format!("agreed{enter}"));
    page.reads(".flash", "77.00");
}
