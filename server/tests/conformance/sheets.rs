//! What goes out to spreadsheets and comes in from them.

use crate::common::browser::{Browser, Page, with};
use crate::common::{DAY, World, kes};
use crate::world;
use axum::body::Body;
use axum::http::{Request, header};
use carboy_protocol::{Action, CustomerId, Field};
use carboy_server::{Origin, Rank};

/// A file's rows, cell by cell.
fn rows(page: &Page) -> Vec<Vec<String>> {
    assert_eq!(page.status, 200, "{}", page.html);
    let text = page.html.strip_prefix('\u{feff}').expect("a byte order mark");
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
    let rows = reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect::<Vec<_>>());
    rows.collect()
}

fn column(rows: &[Vec<String>], name: &str) -> Vec<String> {
    let place =
        rows[0].iter().position(|cell| cell == name).unwrap_or_else(|| panic!("{name} in {:?}", rows[0]));
    rows[1..].iter().map(|row| row[place].clone()).collect()
}

#[tokio::test]
async fn a_ledger_goes_out_with_plain_amounts_and_times_that_say_their_zone() {
    let world = world();
    world.server.set_plant_formats(&world.manager, "Africa/Nairobi", "en").unwrap();
    let mut browser = Browser::signed_in(&world).await;
    world.act(&world.set_balance(0, 123_456));
    world.act(&world.cash(1_000));
    let page = browser.get(&format!("/export/customers/{}", world.customer)).await;
    let rows = rows(&page);
    assert_eq!(column(&rows, "Amount"), ["1234.56", "-10.00"]);
    assert_eq!(column(&rows, "Balance"), ["1234.56", "1224.56"]);
    assert_eq!(column(&rows, "What"), ["Balance set", "Cash collected"]);
    assert_eq!(column(&rows, "Received")[0], "2024-11-23T11:20:00+03:00");
    assert_eq!(column(&rows, "Note"), ["agreed", ""]);
    assert!(page.html.ends_with("\r\n") && page.html.matches("\r\n").count() == 3);
    browser.languages = Some("fr");
    let page = browser.get(&format!("/export/customers/{}", world.customer)).await;
    assert!(page.html.contains("Montant") && page.html.contains("1234.56"), "words change, amounts do not");
}

#[tokio::test]
async fn what_looks_like_a_formula_goes_out_as_text() {
    let world = world();
    let mut browser = Browser::signed_in(&world).await;
    world.act(&world.edit(Field::Name, "=HYPERLINK(\"http://x\",\"y\")"));
    let (amount, reason) = (kes(-500), "@SUM(A1), \"quoted\"\nand more".to_owned());
    world.act(&Action::AdjustBalance { customer: world.customer, amount, reason });
    let rows = rows(&browser.get(&format!("/export/customers/{}", world.customer)).await);
    assert_eq!(column(&rows, "Customer"), ["'=HYPERLINK(\"http://x\",\"y\")"]);
    assert_eq!(column(&rows, "Note"), ["'@SUM(A1), \"quoted\"\nand more"]);
    assert_eq!(column(&rows, "Amount"), ["-5.00"], "an amount is no text");
}

#[tokio::test]
async fn all_ledgers_of_a_period_go_out_whatever_their_length() {
    let world = world();
    let mut browser = Browser::signed_in(&world).await;
    let mut phone = world.phone();
    for _ in 0..2 {
        for _ in 0..501 {
            phone.record(world.cash(100));
        }
        phone.sync(&world);
    }
    world.clock.advance(DAY);
    world.act(&world.cash(200));
    browser.sign_in("grace@example.com", "clean water").await;
    let first = rows(&browser.get("/export/ledger?from=2024-11-23&to=2024-11-23").await);
    assert_eq!(column(&first, "Amount"), vec!["-1.00"; 1_002]);
    let second = rows(&browser.get("/export/ledger?from=2024-11-24&to=2024-12-31").await);
    assert_eq!(column(&second, "Amount"), ["-2.00"]);
    for period in ["from=2024-11-24&to=2024-11-23", "from=0001-01-01&to=9999-12-31", "from=x&to=y", ""] {
        assert_eq!(browser.get(&format!("/export/ledger?{period}")).await.status, 400, "{period}");
    }
}

#[tokio::test]
async fn the_cash_report_goes_out_by_day_rider_and_shift() {
    let world = world();
    let mut browser = Browser::signed_in(&world).await;
    let mut phone = world.phone();
    for collected in [700, 50] {
        phone.record(Action::StartShift { route: None });
        phone.record(world.cash(collected));
        phone.record(Action::HandInCash { amount: kes(600), note: None });
        phone.record(Action::FinishShift {});
    }
    phone.sync(&world);
    let rows = rows(&browser.get("/export/cash?from=2024-11-20&to=2024-11-25").await);
    assert_eq!(column(&rows, "Date"), ["2024-11-23", "2024-11-23"]);
    assert_eq!(column(&rows, "Rider"), ["Amina", "Amina"]);
    assert_eq!(column(&rows, "Expected"), ["7.00", "0.50"]);
    assert_eq!(column(&rows, "Handed in"), ["6.00", "6.00"]);
    assert_eq!(column(&rows, "Difference"), ["-1.00", "5.50"]);
}

#[tokio::test]
async fn nothing_goes_out_to_who_is_not_signed_in_or_of_another_plant() {
    let world = world();
    let mut browser = Browser::new(&world);
    for path in ["/export/ledger?from=2024-11-23&to=2024-11-23", "/import", "/import/template"] {
        assert_eq!(browser.get(path).await.location.as_deref(), Some("/sign-in"), "{path}");
    }
    let plant = world.server.create_plant("Other", "UGX".parse().unwrap()).unwrap();
    world.server.create_owner(plant, "Otto", "otto@example.com", "clean water").unwrap();
    browser.sign_in("otto@example.com", "clean water").await;
    assert_eq!(browser.get(&format!("/export/customers/{}", world.customer)).await.status, 404);
    let other = rows(&browser.get("/export/ledger?from=2024-11-23&to=2024-11-23").await);
    assert_eq!(other.len(), 1);
}

/// Uploads a file and opens the page that it leads to.
async fn upload(browser: &mut Browser, file: &str) -> (String, Page) {
    let page = send(browser, file.as_bytes()).await;
    assert_eq!(page.status, 303, "{}", page.html);
    let address = page.location.unwrap();
    let page = browser.get(&address).await;
    (address, page)
}

async fn send(browser: &mut Browser, file: &[u8]) -> Page {
    let csrf = browser.get("/import").await.form("/import")["csrf"].clone();
    send_as(browser, &csrf, file).await
}

async fn send_as(browser: &mut Browser, csrf: &str, file: &[u8]) -> Page {
    let mut body =
        format!("--XX\r\ncontent-disposition: form-data; name=\"csrf\"\r\n\r\n{csrf}\r\n").into_bytes();
    body.extend(b"--XX\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a.csv\"\r\n\r\n");
    body.extend(file);
    body.extend(b"\r\n--XX\r\ncontent-disposition: form-data; name=\"rows\"\r\n\r\n\r\n--XX--\r\n");
    let request = Request::post("/import").header(header::CONTENT_TYPE, "multipart/form-data; boundary=XX");
    browser.send(request, Body::from(body)).await
}

async fn confirm(browser: &mut Browser, address: &str, page: &Page) -> Page {
    browser.submit(address, &page.form(address)).await
}

fn customers(world: &World) -> Vec<(String, i64)> {
    let sql = "SELECT p.name, c.balance FROM profiles p JOIN customers c
               ON c.plant = p.plant AND c.customer = p.customer ORDER BY p.name";
    world.rows(sql)
}

fn stops(world: &World) -> Vec<(String, String)> {
    let sql =
        "SELECT r.name, p.name FROM route_stops s JOIN routes r ON r.plant = s.plant AND r.route = s.route
               JOIN profiles p ON p.plant = s.plant AND p.customer = s.customer ORDER BY r.name, s.position";
    world.rows(sql)
}

/// What has to stay as it is when nothing is done: not even a rev is taken.
fn state(world: &World) -> (u64, u64, u64, u64) {
    let count = |table: &str| world.one(&format!("SELECT count(*) FROM {table}"));
    (count("customers"), count("ledger"), count("route_stops"), world.one("SELECT rev FROM plants"))
}

#[tokio::test]
async fn an_import_shows_what_it_would_do_and_does_it_only_once_confirmed() {
    let world = world();
    let mut browser = Browser::signed_in(&world).await;
    let file = "name,phone,address,note,route,position,opening balance\n\
                Kiosk,0700,5 Main Road,,East,2,\n\
                Salon,0711,,,East,1,12.50\n\
                Clinic,0722,,ring twice,West,,-3\n";
    let (address, page) = upload(&mut browser, file).await;
    assert!(page.shows("What would happen") && page.shows("5 Main Road") && page.shows("new route"));
    assert_eq!(customers(&world), [("Kiosk".into(), 0)], "nothing changed yet");
    let done = confirm(&mut browser, &address, &page).await;
    assert!(done.shows("Imported.") && !done.shows("Rows that were not accepted"), "{}", done.html);
    let expected = [("Clinic".into(), -300), ("Kiosk".into(), 0), ("Salon".into(), 1_250)];
    assert_eq!(customers(&world), expected);
    assert_eq!(world.profile().shown(Field::Address), Some("5 Main Road"));
    let on = |route: &str, name: &str| (route.to_owned(), name.to_owned());
    assert_eq!(stops(&world), [on("East", "Salon"), on("East", "Kiosk"), on("West", "Clinic")]);
}

#[tokio::test]
async fn confirming_twice_or_sending_the_same_file_again_changes_nothing() {
    let world = world();
    let mut browser = Browser::signed_in(&world).await;
    let file = "name;phone;route;opening balance\nSalon;0711;East;5\nKiosk;0700;East;\n";
    let (address, page) = upload(&mut browser, file).await;
    let (other, second) = upload(&mut browser, file).await;
    assert_ne!(address, other);
    confirm(&mut browser, &address, &page).await;
    let before = state(&world);
    for (address, page) in [(&address, &page), (&other, &second)] {
        assert!(confirm(&mut browser, address, page).await.shows("Imported."));
    }
    assert_eq!(state(&world), before);
    let (_, again) = upload(&mut browser, file).await;
    assert!(again.shows("opening balance left out"), "{}", again.html);
}

#[tokio::test]
async fn bad_rows_are_told_one_by_one_and_only_the_good_ones_are_imported() {
    let world = world();
    let mut browser = Browser::signed_in(&world).await;
    let closed = world.server.add_customer(&world.manager, [(Field::Name, "Gone".into())].into()).unwrap();
    let file = format!(
        "customer id,name,phone,position,opening balance\n\
         ,Good,0799,,\n\
         ,,0700,,\n\
         ,Kiosk,0123,,\n\
         ,Bad,1,,lots\n\
         ,Worse,2,1,\n\
         {},Nobody,,,\n\
         ,Good,07 99,,\n\
         {closed},=cmd(),,,\n",
        CustomerId::from_bytes([9; 16])
    );
    let (address, page) = upload(&mut browser, &file).await;
    for error in [
        "Line 3 · Name: is empty",
        "Line 4 · Name: is already the name of a customer with another phone",
        "Line 5 · Opening balance: “lots” is no amount such as 1,234.50",
        "Line 6 · Position: is given without a route",
        "is not the id of a customer here",
        "Line 8 · Name: is the same customer as in line 2",
    ] {
        let plain = page.html.replace("<b>", "").replace("</b>", "").replace("  ", " ");
        assert!(plain.contains(error), "{error}: {plain}");
    }
    assert!(page.shows("Import only the good rows (2)"));
    confirm(&mut browser, &address, &page).await;
    let names: Vec<_> = customers(&world).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["=cmd()", "Good", "Kiosk"]);
}

#[tokio::test]
async fn what_changed_between_looking_and_confirming_makes_a_conflict_and_is_not_lost() {
    let world = world();
    let mut browser = Browser::signed_in(&world).await;
    let file = format!("customer id,name,phone\n{},Kiosk,0711\n", world.customer);
    let (address, page) = upload(&mut browser, &file).await;
    world.act(&world.edit(Field::Phone, "0722"));
    confirm(&mut browser, &address, &page).await;
    let mut numbers = world.phone_numbers();
    numbers.sort();
    assert_eq!(numbers, ["0711", "0722"]);
}

#[tokio::test]
async fn a_file_that_cannot_be_read_is_refused_in_words_and_changes_nothing() {
    let world = world();
    let mut browser = Browser::signed_in(&world).await;
    let many = format!("name\n{}", "A\n".repeat(10_001));
    for (file, status, why) in [
        (&b""[..], 422, "Choose a file"),
        (b"name\n\xff\xfe", 422, "not text in UTF-8"),
        (b"phone\n07", 422, "no column “Name”"),
        (b"name,colour\nA,red", 422, "No column is called “colour”"),
        (many.as_bytes(), 422, "more than 10,000 rows"),
        (&vec![b'x'; 5 * 1024 * 1024], 413, "larger than 4 MB"),
    ] {
        let page = send(&mut browser, file).await;
        assert!(page.status == status && page.shows(why), "{why}: {} {}", page.status, page.html);
    }
    assert_eq!(world.one::<u64>("SELECT count(*) FROM imports"), 0);
}

#[tokio::test]
async fn an_upload_needs_the_sessions_token_and_an_import_belongs_to_who_made_it() {
    let world = world();
    let mut browser = Browser::signed_in(&world).await;
    assert_eq!(send_as(&mut browser, "guess", b"name\nA").await.status, 403);
    let (address, page) = upload(&mut browser, "name\nA\n").await;
    world.server.create_owner(world.plant, "Otto", "otto@example.com", "clean water").unwrap();
    let mut other = Browser::new(&world);
    other.sign_in("otto@example.com", "clean water").await;
    assert_eq!(other.get(&address).await.status, 404);
    let csrf = other.get("/import").await.form("/sign-out")["csrf"].clone();
    let form = with(page.form(&address), &[("csrf", &csrf)]);
    assert_eq!(other.post(&address, &form).await.status, 404);
    assert_eq!(customers(&world).len(), 1);
}

#[tokio::test]
async fn five_thousand_rows_are_imported_as_any_others() {
    let world = world();
    let mut browser = Browser::signed_in(&world).await;
    let rows: String = (0..5_000).map(|n| format!("Shop {n},0{n},Route {}\n", n % 5)).collect();
    let (address, page) = upload(&mut browser, &format!("name,phone,route\n{rows}")).await;
    assert!(page.shows("And 4,900 more rows."));
    confirm(&mut browser, &address, &page).await;
    assert_eq!(world.one::<u64>("SELECT count(*) FROM customers"), 5_001);
    assert_eq!(world.one::<u64>("SELECT count(*) FROM route_stops"), 5_000);
}

#[tokio::test]
async fn a_file_that_two_managers_looked_at_before_either_confirmed_brings_its_balances_in_once() {
    let world = world();
    let link = world.server.invite(&world.manager, Rank::Manager, "mary", "mary").unwrap();
    assert!(world.server.choose_password(&Origin::Here, &link.token, "clean water").unwrap());
    let (mut grace, mut mary) = (Browser::signed_in(&world).await, Browser::new(&world));
    mary.sign_in("mary", "clean water").await;
    let file = "name,opening balance\nNew,150\n";
    let looked = [upload(&mut grace, file).await, upload(&mut mary, file).await];
    grace.languages = Some("fr");
    let in_french = upload(&mut grace, file).await;
    grace.languages = None;
    confirm(&mut grace, &looked[0].0, &looked[0].1).await;
    confirm(&mut grace, &in_french.0, &in_french.1).await;
    let page = confirm(&mut mary, &looked[1].0, &looked[1].1).await;
    assert!(page.shows("exists already"), "{}", page.html);
    assert_eq!(world.rows::<(i64,)>("SELECT amount FROM ledger"), [(15_000,)]);
}
