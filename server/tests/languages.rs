//! What a manager can rely on who does not read English: pages, amounts and times in the own language and way.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use carboy_protocol::Action;
use common::browser::{Browser, Page, with};
use common::{World, kes, world};

const CODES: [&str; 5] = ["en", "fr", "sw", "hi", "ar"];

/// The page without the marks that keep Latin and Arabic apart, and with plain spaces.
fn plain(page: &Page) -> String {
    let marks = ["<bdi>", "</bdi>", "\u{61c}", "\u{200f}", "\u{2068}", "\u{2069}"];
    let text = marks.iter().fold(page.html.clone(), |text, mark| text.replace(mark, ""));
    text.replace(['\u{a0}', '\u{202f}'], " ")
}

fn language(page: &Page) -> String {
    page.html.split("<html lang=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
}

/// Chooses the language at the foot of the page at `path`, and comes back to it.
async fn choose(browser: &mut Browser, path: &str, code: &str) -> Page {
    let form = with(browser.get(path).await.form("/language"), &[("language", code)]);
    let page = browser.post("/language", &form).await;
    assert_eq!(page.location.as_deref(), Some(path));
    browser.get(path).await
}

fn customer(world: &World) -> String {
    format!("/customers/{}", world.customer)
}

async fn adjust(browser: &mut Browser, world: &World, amount: &str) -> Page {
    let path = format!("{}/adjust", customer(world));
    let form = browser.get(&customer(world)).await.form(&path);
    browser.post(&path, &with(form, &[("amount", amount), ("reason", "x")])).await
}

#[tokio::test]
async fn a_page_is_in_the_chosen_language_else_the_browsers_else_the_plants() {
    let world = world();
    let mut browser = Browser::signed_in(&world).await;
    assert_eq!(language(&browser.get("/customers").await), "en");
    world.server.set_plant_formats(&world.manager, "UTC", "sw").unwrap();
    browser.languages = Some("de");
    assert_eq!(language(&browser.get("/customers").await), "sw", "nobody asks for one that we speak");
    browser.languages = Some("de, hi;q=0.7, fr;q=0.9");
    assert_eq!(language(&browser.get("/customers").await), "fr");
    let page = choose(&mut browser, "/customers?q=kiosk", "ar").await;
    assert_eq!(language(&page), "ar");
    for path in ["/conflicts", "/rejected", "/devices", "/settings", "/nothing", &customer(&world)] {
        assert_eq!(language(&browser.get(path).await), "ar", "{path}");
    }
}

#[tokio::test]
async fn a_language_can_be_chosen_before_signing_in_and_stays() {
    let world = world();
    let mut browser = Browser::new(&world);
    let page = choose(&mut browser, "/sign-in", "hi").await;
    assert!(language(&page) == "hi" && page.shows("पासवर्ड"));
    let page = browser.sign_in("grace@example.com", "guess").await;
    assert!(page.status == 401 && page.shows("मेल नहीं खाते"));
    browser.sign_in("grace@example.com", "clean water").await;
    assert_eq!(language(&browser.get("/customers").await), "hi");
}

#[tokio::test]
async fn no_other_site_changes_the_language_or_leads_away_by_it() {
    let world = world();
    let mut browser = Browser::signed_in(&world).await;
    let form = browser.get("/customers").await.form("/language");
    let foreign = with(form.clone(), &[("csrf", "x"), ("language", "ar")]);
    assert_eq!(browser.post("/language", &foreign).await.status, 403);
    assert_eq!(language(&browser.get("/customers").await), "en");
    for here in ["//evil.example", "/\\evil.example", "https://evil.example", ""] {
        let page = browser.post("/language", &with(form.clone(), &[("here", here)])).await;
        assert_eq!(page.location.as_deref(), Some("/"), "{here}");
    }
    assert_eq!(browser.post("/language", &with(form, &[("language", "tlh")])).await.status, 400);
}

#[tokio::test]
async fn arabic_runs_from_right_to_left_with_its_own_digits() {
    let world = world();
    world.act(&Action::AdjustBalance {
        customer: world.customer,
        amount: kes(123_456_750),
        reason: "x".into(),
    });
    let mut browser = Browser::signed_in(&world).await;
    let page = choose(&mut browser, &customer(&world), "ar").await;
    assert!(page.html.contains("<html lang=\"ar\" dir=\"rtl\">"));
    let text = plain(&page);
    for shown in ["+١٬٢٣٤٬٥٦٧٫٥٠ KES", "٢٣/١١/٢٠٢٤", "datetime=\"2024-11-23T08:20:00Z\""]
    {
        assert!(text.contains(shown), "{shown} in {text}");
    }
    assert!(plain(&browser.get("/customers").await).contains("<span class=\"muted\">١</span>"), "a count");
}

#[tokio::test]
async fn an_amount_is_typed_and_shown_as_each_language_writes_it() {
    let world = world();
    let mut browser = Browser::signed_in(&world).await;
    for (code, typed, shown) in [
        ("en", "1,234,567.5", "KES +1,234,567.50"),
        ("fr", "1 234 567,5", "+1 234 567,50 KES"),
        ("sw", "1,234,567.5", "KES +1,234,567.50"),
        ("hi", "12,34,567.5", "KES +12,34,567.50"),
        ("ar", "١٬٢٣٤٬٥٦٧٫٥", "+١٬٢٣٤٬٥٦٧٫٥٠ KES"),
    ] {
        choose(&mut browser, "/customers", code).await;
        for typed in [typed, "1234567.5"] {
            let page = adjust(&mut browser, &world, typed).await;
            let page = browser.get(&page.location.unwrap()).await;
            assert!(plain(&page).contains(shown), "{code}: {}", plain(&page));
        }
        let page = adjust(&mut browser, &world, "12x").await;
        assert!(page.status == 422 && page.shows("12x") && language(&page) == code);
    }
    assert_eq!(world.ledger(), [123_456_750; 10]);
}

#[tokio::test]
async fn a_comma_means_what_it_meant_on_the_page_where_it_was_typed() {
    let world = world();
    let mut browser = Browser::signed_in(&world).await;
    choose(&mut browser, "/customers", "fr").await;
    let path = format!("{}/adjust", customer(&world));
    let form = with(browser.get(&customer(&world)).await.form(&path), &[("amount", "12,5"), ("reason", " ")]);
    choose(&mut browser, "/customers", "en").await;
    let page = browser.post(&path, &form).await;
    assert!(page.status == 422 && language(&page) == "en");
    let again = with(page.form(&path), &[("reason", "x")]);
    assert_eq!(browser.post(&path, &again).await.status, 303);
    assert_eq!(world.ledger(), [1_250]);
}

#[tokio::test]
async fn a_manager_sets_the_plants_time_zone_and_language() {
    let world = world();
    world.act(&Action::AdjustBalance { customer: world.customer, amount: kes(1), reason: "x".into() });
    let mut browser = Browser::signed_in(&world).await;
    let page = browser.get(&customer(&world)).await;
    assert!(page.shows("23 Nov 2024, 08:20") && page.shows("Times are those of UTC."));
    let form = browser.get("/settings").await.form("/settings");
    let wrong = with(form.clone(), &[("time_zone", "Africa/Atlantis")]);
    let page = browser.post("/settings", &wrong).await;
    assert!(page.status == 422 && page.shows("There is no time zone “Africa/Atlantis”"));
    assert_eq!(page.form("/settings")["time_zone"], "Africa/Atlantis");
    let right = with(form, &[("time_zone", "africa/nairobi"), ("language", "sw")]);
    let page = browser.submit("/settings", &right).await;
    assert!(language(&page) == "sw" && page.shows("Imehifadhiwa."));
    let page = browser.get(&customer(&world)).await;
    assert!(page.shows("23 Nov 2024, 11:20") && page.shows("Africa/Nairobi"));
    assert!(page.html.contains("datetime=\"2024-11-23T08:20:00Z\""), "the moment itself is the same");
    let stranger = with(browser.get("/settings").await.form("/settings"), &[("csrf", "x")]);
    assert_eq!(browser.post("/settings", &stranger).await.status, 403);
}

#[tokio::test]
async fn every_page_has_landmarks_one_heading_and_a_way_past_the_navigation_in_every_language() {
    let world = world();
    let mut browser = Browser::signed_in(&world).await;
    for code in CODES {
        for path in ["/customers", "/conflicts", "/rejected", "/devices", "/settings", &customer(&world)] {
            let page = choose(&mut browser, path, code).await;
            assert_eq!(page.status, 200, "{code} {path}");
            for part in [
                "<header>",
                "<nav aria-label=",
                "<main id=\"content\"",
                "<footer>",
                "<h1>",
                "href=\"#content\"",
            ] {
                assert_eq!(page.html.matches(part).count(), 1, "{part} in {code} {path}");
            }
            assert!(code == "en" || !page.shows("Customers"), "{code} {path} is not in English");
        }
    }
}
