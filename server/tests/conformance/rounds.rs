//! What a manager sees of the day: the rounds, the cash, and that an open page is told when something changed.

use crate::common::browser::Browser;
use crate::common::{DAY, Phone, World, kes};
use crate::world;
use axum::body::{Body, BodyDataStream};
use axum::http::{Request, header};
use carboy_protocol::{Action, FailReason};
use carboy_server::http;
use futures_util::StreamExt;
use std::time::Duration;
use tower::ServiceExt;

fn fail(world: &World) -> Action {
    Action::FailDelivery { customer: world.customer, reason: FailReason::Closed, note: None }
}

/// A phone that has begun a round of two stops, delivered at the first one and taken 7.00 there.
fn on_a_round(world: &World) -> Phone {
    let other =
        world.server.add_customer(&world.manager, [(carboy_protocol::Field::Name, "B".into())].into());
    let stops = [world.customer, other.unwrap()];
    let route = world.server.put_route(&world.manager, None, "East <&> West", &stops).unwrap();
    let mut phone = world.phone();
    phone.record(Action::StartShift { route: Some(route) });
    phone.record(world.delivery(4, 3));
    phone.record(world.cash(700));
    phone.sync(world);
    phone
}

/// The figure that stands under this name.
fn figures(html: &str, name: &str) -> Vec<String> {
    let before = format!("<dt>{name}</dt><dd>");
    let after = html.split(&before).skip(1);
    after.map(|rest| rest.split("</dd>").next().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_round_is_shown_as_it_comes_in() {
    let world = world();
    let mut browser = Browser::signed_in(&world).await;
    assert!(browser.get("/rounds").await.shows("not started today"));
    let mut phone = on_a_round(&world);
    let page = browser.get("/rounds").await;
    assert!(
        page.shows("on the round") && page.shows("East <&> West") && page.shows("1 of 2"),
        "{}",
        page.html
    );
    assert_eq!(figures(&page.html, "Delivered"), ["1", "1"]);
    assert_eq!(figures(&page.html, "Left"), ["1", "1"]);
    assert_eq!(figures(&page.html, "Bottles out"), ["4"]);
    assert_eq!(figures(&page.html, "Empties back"), ["3"]);
    assert!(page.shows("KES 7.00"));
    phone.record(fail(&world));
    phone.record(Action::FinishShift {});
    phone.sync(&world);
    let page = browser.get("/rounds").await;
    assert!(page.shows("finished"));
    assert_eq!(figures(&page.html, "Failed"), ["1", "1"], "the last record about a stop is what counts");
    world.clock.advance(DAY);
    browser.sign_in("grace@example.com", "clean water").await;
    let page = browser.get("/rounds").await;
    assert!(page.shows("not started today") && page.shows("Routes that nobody has begun today"));
}

#[tokio::test]
async fn what_a_phone_still_holds_stands_with_its_last_contact() {
    let world = world();
    let mut browser = Browser::signed_in(&world).await;
    let mut phone = world.phone();
    for _ in 0..3 {
        phone.record(world.cash(100));
    }
    world.server.handle_sync(&phone.auth, &phone.request(1, 1)).unwrap();
    world.clock.advance(5 * 60 * 1000);
    let page = browser.get("/rounds").await;
    assert!(page.shows("5 min ago") && page.shows("Still on the phones"));
    assert_eq!(figures(&page.html, "Unsent")[0], "2");
    assert!(page.html.contains(r#"aria-labelledby="pending-title pending-text""#));
    phone.settled = 1;
    phone.sync(&world);
    let page = browser.get("/rounds").await;
    assert!(page.shows("Every phone had sent all it held") && !page.html.contains("pending-title"));
}

#[tokio::test]
async fn a_name_in_a_chart_is_never_markup() {
    let world = world();
    let rider = world.server.create_rider(world.plant, "</svg><script>x</script>").unwrap();
    let mut phone = world.phone_of(&rider);
    phone.record(Action::StartShift { route: None });
    phone.record(world.cash(100));
    phone.sync(&world);
    let mut browser = Browser::signed_in(&world).await;
    for path in ["/rounds", "/cash"] {
        let page = browser.get(path).await;
        assert!(
            page.html.contains("&lt;/svg&gt;&lt;script&gt;x") && !page.html.contains("<script>x"),
            "{path}"
        );
    }
}

#[tokio::test]
async fn cash_is_compared_by_rider_and_shift_in_words() {
    let world = world();
    let mut browser = Browser::signed_in(&world).await;
    let mut phone = on_a_round(&world);
    assert!(browser.get("/cash").await.shows("7.00 to hand in"), "a round that is not over is not short");
    phone.record(Action::HandInCash { amount: kes(500), note: None });
    phone.record(Action::FinishShift {});
    phone.sync(&world);
    let page = browser.get("/cash").await;
    assert!(page.shows("2.00 short") && page.shows("KES 2.00"), "{}", page.html);
    phone.record(Action::StartShift { route: None });
    phone.record(Action::HandInCash { amount: kes(200), note: None });
    phone.record(Action::FinishShift {});
    phone.sync(&world);
    let page = browser.get("/cash").await;
    assert!(page.shows("2.00 short") && page.shows("2.00 over") && page.shows("even"));
    assert!(page.shows("Nobody has cash of the plant."));
}

#[tokio::test]
async fn cash_of_an_earlier_day_can_be_looked_up_and_an_open_shift_stays_in_sight() {
    let world = world();
    let mut browser = Browser::signed_in(&world).await;
    on_a_round(&world);
    assert!(!browser.get("/cash").await.shows("No shift began"));
    world.clock.advance(DAY);
    browser.sign_in("grace@example.com", "clean water").await;
    assert!(browser.get("/cash").await.shows("still out"), "it began yesterday and is open");
    assert!(browser.get("/cash?date=2024-11-23").await.shows("7.00 to hand in"));
    assert!(browser.get("/cash?date=2024-11-22").await.shows("No shift began"));
    assert!(browser.get("/cash?date=nonsense").await.shows("still out"), "then it is today");
}

/// Opens the event stream of the browser's session.
async fn events(browser: &Browser, seen: &str) -> BodyDataStream {
    let cookies = browser.cookies.iter().map(|(name, value)| format!("{name}={value}"));
    let cookies = cookies.collect::<Vec<_>>().join("; ");
    let request = Request::get(format!("/live?seen={seen}")).header(header::COOKIE, cookies);
    let response = browser.router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    assert_eq!(response.headers()[header::CONTENT_TYPE], "text/event-stream");
    response.into_body().into_data_stream()
}

/// The next event; `None` once the stream has ended.
async fn next(events: &mut BodyDataStream) -> Option<String> {
    loop {
        let event = String::from_utf8(events.next().await?.unwrap().to_vec()).unwrap();
        // What only keeps the connection open is no event.
        if !event.starts_with(':') {
            return Some(event);
        }
    }
}

/// The last change that a page shows.
fn seen(html: &str) -> String {
    html.split("data-seen=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
}

#[tokio::test(start_paused = true)]
async fn an_open_page_is_told_of_a_change_and_again_only_of_the_next() {
    let world = world();
    let mut browser = Browser::signed_in(&world).await;
    let shown = seen(&browser.get("/rounds").await.html);
    let mut events = events(&browser, &shown).await;
    let quiet = tokio::time::timeout(Duration::from_secs(60), next(&mut events)).await;
    assert!(quiet.is_err(), "nothing changed: {quiet:?}");
    for _ in 0..2 {
        world.act(&world.cash(100));
        let now = seen(&browser.get("/rounds").await.html);
        let event = next(&mut events).await.unwrap();
        assert_eq!(event, format!("event: changed\nid: {now}\ndata: {now}\n\n"));
    }
}

#[tokio::test(start_paused = true)]
async fn what_changed_between_page_and_stream_is_told_at_once() {
    let world = world();
    let mut browser = Browser::signed_in(&world).await;
    let shown = seen(&browser.get("/rounds").await.html);
    world.act(&world.cash(100));
    let mut events = events(&browser, &shown).await;
    assert!(next(&mut events).await.unwrap().contains("event: changed"));
}

#[tokio::test(start_paused = true)]
async fn the_stream_ends_with_the_session() {
    let world = world();
    let mut browser = Browser::signed_in(&world).await;
    let page = browser.get("/rounds").await;
    let mut signed_out = events(&browser, &seen(&page.html)).await;
    browser.post("/sign-out", &page.form("/sign-out")).await;
    assert_eq!(next(&mut signed_out).await, None);

    browser.sign_in("grace@example.com", "clean water").await;
    let shown = seen(&browser.get("/rounds").await.html);
    let mut expired = events(&browser, &shown).await;
    world.clock.advance(DAY);
    assert_eq!(next(&mut expired).await, None);
}

#[tokio::test]
async fn who_is_not_signed_in_gets_no_stream() {
    let world = world();
    let mut browser = Browser::new(&world);
    assert_eq!(browser.get("/live").await.location.as_deref(), Some("/sign-in"));
}

#[tokio::test]
async fn a_server_that_stops_does_not_wait_for_open_streams() {
    let world = world();
    let browser = Browser::signed_in(&world).await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let router = http::router(world.server.clone());
    let serving = axum::serve(listener, router).with_graceful_shutdown(async move {
        stopped.await.unwrap();
    });
    let serving = tokio::spawn(serving.into_future());
    let cookie = format!("carboy_session={}", browser.cookies["carboy_session"]);
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let request = format!("GET /live HTTP/1.1\r\nhost: x\r\ncookie: {cookie}\r\n\r\n");
    tokio::io::AsyncWriteExt::write_all(&mut stream, request.as_bytes()).await.unwrap();
    let mut first = [0; 15];
    tokio::io::AsyncReadExt::read_exact(&mut stream, &mut first).await.unwrap();
    assert_eq!(&first, b"HTTP/1.1 200 OK");
    stop.send(()).unwrap();
    world.server.shutdown_token().cancel();
    serving.await.unwrap().unwrap();
}

#[tokio::test]
async fn the_script_is_ours_and_pages_allow_no_other() {
    let world = world();
    let mut browser = Browser::signed_in(&world).await;
    let page = browser.get("/rounds").await;
    assert!(page.html.contains(r#"<script src="/live.js" defer></script>"#));
    let request = Request::get("/live.js").body(Body::empty()).unwrap();
    let response = browser.router.clone().oneshot(request).await.unwrap();
    assert!(response.headers()[header::CONTENT_TYPE].to_str().unwrap().starts_with("text/javascript"));
    let policy = response.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
    assert!(policy.contains("script-src 'self';") && policy.contains("connect-src 'self';"), "{policy}");
}
