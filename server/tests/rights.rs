//! Who may open and send what, over every route there is: a route that is added has to be entered here.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use carboy_protocol::wire::{self, EnrolRequest};
use carboy_protocol::{Action, CustomerId, DeviceKey, Field};
use carboy_server::{Origin, Rank, http};
use common::browser::{Browser, Fields, encoded, with};
use common::{Phone, World, base64, world};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use tower::ServiceExt;

/// For whom a route is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum For {
    /// Whoever asks; it tells and changes nothing of a plant.
    Everybody,
    /// Whoever holds a bearer token.
    Token,
    /// Whoever is signed in; a form is about nobody but the sender.
    SignedIn,
    /// The same, and the answer does not end.
    Stream,
    /// Whoever made what it shows.
    Maker,
    /// Managers and owners.
    Managers,
    /// Owners.
    Owners,
}
use For::{Everybody, Maker, Managers, Owners, SignedIn, Stream, Token};

/// Every route: whom its page is for, and whom its form.
const ROUTES: &[(&str, Option<For>, Option<For>)] = &[
    ("/", Some(Everybody), None),
    ("/account", Some(SignedIn), None),
    ("/account/password", None, Some(SignedIn)),
    ("/account/sessions", None, Some(SignedIn)),
    ("/audit", Some(SignedIn), None),
    ("/cash", Some(SignedIn), None),
    ("/conflicts", Some(SignedIn), None),
    ("/customers", Some(SignedIn), None),
    ("/customers/{customer}", Some(SignedIn), None),
    ("/customers/{customer}/{form}", Some(Everybody), Some(Managers)),
    ("/devices", Some(SignedIn), None),
    ("/devices/cancel", None, Some(Managers)),
    ("/devices/code", Some(Everybody), Some(Managers)),
    ("/devices/revoke", None, Some(Managers)),
    ("/export/cash", Some(SignedIn), None),
    ("/export/customers/{customer}", Some(SignedIn), None),
    ("/export/ledger", Some(SignedIn), None),
    ("/healthz", Some(Everybody), None),
    ("/icon.svg", Some(Everybody), None),
    ("/import", Some(SignedIn), Some(Managers)),
    ("/import/template", Some(SignedIn), None),
    ("/import/{import}", Some(Maker), Some(Managers)),
    ("/language", None, Some(Everybody)),
    ("/live", Some(Stream), None),
    ("/live.js", Some(Everybody), None),
    ("/openapi.json", Some(Everybody), None),
    ("/password/{token}", Some(Everybody), Some(Everybody)),
    ("/people", Some(SignedIn), None),
    ("/people/{form}", None, Some(Owners)),
    ("/photos/{hash}", Some(SignedIn), None),
    ("/readyz", Some(Everybody), None),
    ("/rejected", Some(SignedIn), None),
    ("/rejected/close", None, Some(Managers)),
    ("/riders", None, Some(Managers)),
    ("/rounds", Some(SignedIn), None),
    ("/settings", Some(SignedIn), Some(Owners)),
    ("/sign-in", Some(Everybody), Some(Everybody)),
    ("/sign-out", None, Some(SignedIn)),
    ("/style.css", Some(Everybody), None),
    ("/tokens", None, Some(Owners)),
    ("/tokens/revoke", None, Some(Owners)),
    ("/v1/enrol", None, Some(Everybody)),
    ("/v1/manage/mutations", None, Some(Token)),
    ("/v1/photos/{hash}", None, Some(Token)),
    ("/v1/sync", None, Some(Token)),
];

/// Parts of paths that are not ids of something.
const FORMS: [(&str, &[&str]); 2] = [
    ("/customers/{customer}/{form}", &["profile", "keep", "adjust", "set"]),
    ("/people/{form}", &["invite", "rank", "reset", "disable", "enable"]),
];

/// The addresses of a route, with the ids of what `world` holds.
fn addresses(route: &str, world: &World, photo: &str) -> Vec<String> {
    let forms = FORMS.iter().find(|(path, _)| *path == route).map_or(&[""][..], |(_, forms)| forms);
    let path = route.replace("{customer}", &world.customer.to_string()).replace("{hash}", photo);
    let path = path.replace("{import}", "01936000-0000-7000-8000-000000000001");
    let period = if ["/export/cash", "/export/ledger"].contains(&route) {
        "?from=2024-11-01&to=2024-11-30"
    } else {
        ""
    };
    let path = path + period;
    forms.iter().map(|form| path.replace("{form}", form).replace("{token}", "x")).collect()
}

/// A plant with a person for each rank, a phone, a photo that is there, an open code and an open rejection.
struct Plant {
    world: World,
    phone: Phone,
    photo: String,
    /// Whatever a form of ours carries, about what is there.
    fields: Fields,
}

fn plant() -> Plant {
    let world = world();
    for rank in [Rank::Viewer, Rank::Manager] {
        let link = world.server.invite(&world.manager, rank, rank.name(), rank.name()).unwrap();
        assert!(world.server.choose_password(&Origin::Here, &link.token, "clean water").unwrap());
    }
    let mut phone = world.phone();
    let bytes = b"RIFF....WEBP a photo of bottles";
    let photo =
        carboy_protocol::Photo { hash: carboy_protocol::PhotoHash::of(bytes), bytes: bytes.len() as u64 };
    let mut delivery = world.delivery(2, 0);
    if let Action::ConfirmDelivery { photos, .. } = &mut delivery {
        photos.push(photo);
    }
    phone.record(delivery);
    let rejected = phone.record(world.set_balance(0, 5));
    phone.sync(&world);
    world.server.handle_photo(&phone.auth, photo.hash, 0, bytes).unwrap();
    let (_, until) = world.server.create_enrol_code(world.plant, world.rider.id).unwrap();
    let fields = [
        ("account", world.rider.id.to_string()),
        ("device", phone.auth.device.to_string()),
        ("txn", rejected.to_string()),
        ("until", until.0.to_string()),
        ("rank", "viewer".to_owned()),
        ("name", "Intruder".to_owned()),
        ("login", "intruder".to_owned()),
        ("note", "intruder".to_owned()),
        ("amount", "5".to_owned()),
        ("seen", "0".to_owned()),
        ("reason", "intruder".to_owned()),
        ("field", "name".to_owned()),
        ("value", "Intruder".to_owned()),
        ("phone", "0666".to_owned()),
        ("context", "{}".to_owned()),
        ("lamport", "1".to_owned()),
        ("written", "en".to_owned()),
        ("language", "fr".to_owned()),
        ("time_zone", "Africa/Kampala".to_owned()),
    ];
    let fields = fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    let photo = photo.hash.to_string();
    Plant { world, phone, photo, fields }
}

impl Plant {
    async fn browser(&self, login: &str) -> Browser {
        let mut browser = Browser::new(&self.world);
        assert_eq!(browser.sign_in(login, "clean water").await.status, 303);
        browser
    }

    /// The fields of any form, with the browser's own token.
    async fn fields(&self, browser: &mut Browser) -> Fields {
        let mut fields = self.fields.clone();
        fields.insert("csrf".into(), browser.get("/customers").await.form("/sign-out")["csrf"].clone());
        fields
    }

    /// Every row of the database that is this plant's and no session or trail of who signed in.
    fn rows(&self) -> Vec<String> {
        let plant = base64(self.world.plant.as_bytes());
        let rows = self.world.dump().into_iter().filter(|(table, _)| !["sessions", "audit"].contains(table));
        rows.map(|row| format!("{row:?}")).filter(|row| row.contains(&plant)).collect()
    }
}

#[tokio::test]
async fn every_route_is_entered_here() {
    let world = world();
    let router = format!("{:?}", http::router(world.server.clone()));
    let paths = router.split("RouteId(").skip(1).filter_map(|part| {
        let (_, path) = part.split_once("): \"")?;
        path.starts_with('/').then(|| path.split('"').next().unwrap())
    });
    // The API's top answers that there is no such route.
    let found: BTreeSet<_> = paths.filter(|path| !path.contains("__private__") && *path != "/v1").collect();
    let entered: BTreeSet<_> = ROUTES.iter().map(|(path, _, _)| *path).collect();
    assert!(found.contains("/v1/sync"), "the router can be listed: {router}");
    assert_eq!(found, entered);
    for (route, page, form) in ROUTES {
        for (method, is_there) in [("GET", page.is_some()), ("POST", form.is_some())] {
            let address = addresses(route, &world, &"0".repeat(64)).remove(0);
            let request = Request::builder().method(method).uri(&address).header(wire::HEADER, "1");
            let status = http::router(world.server.clone())
                .oneshot(request.body(Body::empty()).unwrap())
                .await
                .unwrap()
                .status();
            assert_eq!(status != StatusCode::METHOD_NOT_ALLOWED, is_there, "{method} {route}");
        }
    }
}

#[tokio::test]
async fn whoever_has_no_session_sees_no_page_and_sends_no_form() {
    let plant = plant();
    let before = plant.rows();
    for (route, page, form) in ROUTES {
        for address in addresses(route, &plant.world, &plant.photo) {
            let mut browser = Browser::new(&plant.world);
            if !matches!(page, None | Some(Everybody)) {
                let page = browser.get(&address).await;
                assert_eq!(page.location.as_deref(), Some("/sign-in"), "{address}");
            }
            if matches!(form, Some(SignedIn | Managers | Owners)) {
                let page = browser.post(&address, &plant.fields).await;
                assert_eq!(page.location.as_deref(), Some("/sign-in"), "{address}");
            }
        }
    }
    assert_eq!(plant.rows(), before);
}

#[tokio::test]
async fn a_viewer_reads_everything_and_changes_nothing_and_a_manager_does_not_decide_about_people() {
    for (login, may) in [("viewer", Rank::Viewer), ("manager", Rank::Manager)] {
        let plant = plant();
        let mut browser = plant.browser(login).await;
        let fields = plant.fields(&mut browser).await;
        let before = plant.rows();
        for (route, page, form) in ROUTES {
            for address in addresses(route, &plant.world, &plant.photo) {
                if *page == Some(SignedIn) {
                    assert_eq!(browser.get(&address).await.status, 200, "{login} {address}");
                }
                if *page == Some(Maker) {
                    assert_eq!(browser.get(&address).await.status, 404, "{login} {address}");
                }
                let is_refused = match form {
                    Some(Owners) => true,
                    Some(Managers) => may == Rank::Viewer,
                    _ => false,
                };
                if is_refused {
                    assert_eq!(browser.post(&address, &fields).await.status, 403, "{login} {address}");
                }
            }
        }
        assert_eq!(plant.rows(), before);
    }
}

#[tokio::test]
async fn a_reader_is_shown_the_forms_that_are_for_the_reader() {
    let plant = plant();
    let pages = [
        "/rounds",
        "/cash",
        "/customers",
        "/import",
        "/rejected",
        "/devices",
        "/people",
        "/settings",
        "/audit",
    ];
    let customer = format!("/customers/{}", plant.world.customer);
    for (login, rank) in
        [("viewer", Rank::Viewer), ("manager", Rank::Manager), ("grace@example.com", Rank::Owner)]
    {
        let mut browser = plant.browser(login).await;
        let mut actions = BTreeSet::new();
        for path in pages.into_iter().chain([customer.as_str()]) {
            let html = browser.get(path).await.html;
            let forms = html.split("<form").skip(1).filter(|form| form.contains("method=\"post\""));
            let found = forms
                .map(|form| form.split("action=\"").nth(1).unwrap().split('"').next().unwrap().to_owned());
            actions.extend(found);
        }
        for action in actions {
            let route = action.replace(&plant.world.customer.to_string(), "{customer}");
            let route = match route.rsplit_once('/') {
                Some((top @ ("/people" | "/customers/{customer}"), _)) => format!("{top}/{{form}}"),
                _ => route,
            };
            let (_, _, form) = ROUTES.iter().find(|(path, _, _)| *path == route).unwrap();
            let least = match form.unwrap() {
                Managers => Rank::Manager,
                Owners => Rank::Owner,
                Everybody | Token | SignedIn | Stream | Maker => Rank::Viewer,
            };
            assert!(rank >= least, "{login} is shown {action}");
        }
    }
}

#[tokio::test]
async fn an_owner_of_another_plant_sees_and_changes_nothing_of_this_one() {
    let plant = plant();
    let world = &plant.world;
    let other = world.server.create_plant("Aqua", "UGX".parse().unwrap()).unwrap();
    world.server.create_owner(other, "Ali", "ali@example.com", "clean water").unwrap();
    let mut browser = plant.browser("ali@example.com").await;
    let fields = plant.fields(&mut browser).await;
    let before = plant.rows();
    // Settings, people and the like of the other plant do change; the names given there are told apart from ours.
    for (route, page, form) in ROUTES {
        for address in addresses(route, world, &plant.photo) {
            if *page == Some(SignedIn) {
                let page = browser.get(&address).await;
                let has_id = route.contains('{');
                assert_eq!(page.status, if has_id { 404 } else { 200 }, "{address}");
                for ours in ["Kiosk", "Amina", "Grace", "Pixel", "Maji", &world.rider.id.to_string()] {
                    assert!(!page.shows(ours), "{address} shows {ours}");
                }
            }
            if matches!(form, Some(Managers | Owners)) {
                browser.post(&address, &fields).await;
            }
        }
    }
    let audit = browser.get(&format!("/audit?person={}", world.rider.id)).await;
    assert!(!audit.html.contains("class=\"card entry\""));
    let audit = browser.get(&format!("/audit?customer={}", world.customer)).await;
    assert!(audit.shows("Ali") && !audit.shows("Kiosk"), "nothing but what Ali tried");
    assert_eq!(plant.rows(), before);
}

async fn status(world: &World, path: &str, token: &str, body: impl Into<Body>) -> u16 {
    let request = Request::post(path)
        .header(wire::HEADER, "1")
        .header("authorization", format!("Bearer {token}"))
        .body(body.into())
        .unwrap();
    let response = http::router(world.server.clone()).oneshot(request).await.unwrap();
    let status = response.status().as_u16();
    to_bytes(response.into_body(), usize::MAX).await.unwrap();
    status
}

#[tokio::test]
async fn a_devices_token_opens_no_page_and_reaches_nothing_of_another_plant_or_device() {
    let plant = plant();
    let (world, token) = (&plant.world, &plant.phone.token);
    let other = world.server.create_plant("Aqua", "KES".parse().unwrap()).unwrap();
    let owner = world.server.create_owner(other, "Ali", "ali@example.com", "clean water").unwrap();
    let names = BTreeMap::from([(Field::Name, "Hotel".to_owned())]);
    let customer: CustomerId = world.server.add_customer(&owner, names).unwrap();
    let before = plant.rows();
    // As a bearer of pages, and as what a cookie holds.
    for (route, page, form) in ROUTES {
        for address in addresses(route, world, &plant.photo) {
            let mut browser = Browser::new(world);
            browser.cookies.insert("carboy_session".into(), token.clone());
            if matches!(page, Some(SignedIn | Stream | Maker)) {
                assert_eq!(browser.get(&address).await.location.as_deref(), Some("/sign-in"), "{address}");
            }
            if matches!(form, Some(SignedIn | Managers | Owners)) {
                let sent = browser.post(&address, &plant.fields).await;
                assert_eq!(sent.location.as_deref(), Some("/sign-in"), "{address}");
            }
        }
    }
    assert_eq!(plant.rows(), before);
    // A photo is of the rider who took it: another rider's phone neither reads how far it is nor writes it.
    let photo = format!("/v1/photos/{}?from=0", plant.photo);
    assert_eq!(status(world, &photo, token, "").await, 200);
    let brian = world.phone_of(&world.server.create_rider(world.plant, "Brian").unwrap());
    assert_eq!(status(world, &photo, &brian.token, "").await, 404);
    let stranger = world.phone_of(&world.server.create_rider(other, "Cara").unwrap());
    assert_eq!(status(world, &photo, &stranger.token, "").await, 404);
    // A customer of another plant is nobody here, and its feed holds nothing of this one.
    let mut phone = plant.phone.clone();
    phone.record(Action::CollectCash { customer, amount: common::kes(5) });
    let answer = phone.sync(world).results.remove(0).answer;
    assert!(matches!(answer, wire::Answer::Rejected { reason: wire::Rejection::UnknownCustomer, .. }));
    let feed = format!("{:?}", world.feed(&stranger, 0));
    assert!(feed.contains("Hotel") && !feed.contains("Kiosk"));
    assert_eq!(status(world, "/v1/manage/mutations", token, "{}").await, 403);
}

#[tokio::test]
async fn a_device_that_was_revoked_or_whose_owner_was_disabled_reaches_nothing() {
    for ends in [0, 1] {
        let plant = plant();
        let (world, mut phone) = (&plant.world, plant.phone.clone());
        match ends {
            0 => world.server.revoke_device(&world.manager, phone.auth.device).unwrap(),
            _ => world.server.disable_account(&world.manager, world.rider.id).unwrap(),
        }
        phone.record(world.cash(1));
        let before = plant.rows();
        let sync = serde_json::to_string(&phone.pending()).unwrap();
        let photo = format!("/v1/photos/{}?from=0", plant.photo);
        for (path, body) in
            [("/v1/sync", sync.as_str()), (photo.as_str(), ""), ("/v1/manage/mutations", "{}")]
        {
            assert_eq!(status(world, path, &phone.token, body.to_owned()).await, 401, "{path}");
        }
        assert_eq!(plant.rows(), before);
    }
}

#[tokio::test]
async fn a_scripts_token_has_its_accounts_right_of_the_moment() {
    let plant = plant();
    let world = &plant.world;
    let accounts = world.server.accounts(world.plant).unwrap();
    let manager = accounts.iter().find(|account| account.rank == Some(Rank::Manager)).unwrap();
    let token = world.server.create_token(world.plant, manager.id, "script").unwrap();
    let send = |txn: u8| {
        let body = json!({"v": 1, "txn": carboy_protocol::TxnId::from_bytes([txn; 16]), "at": 5,
            "kind": "adjust_balance", "customer": world.customer, "amount": common::kes(5), "reason": "r"});
        status(world, "/v1/manage/mutations", &token, body.to_string())
    };
    assert_eq!(send(1).await, 200);
    world.server.set_rank(&world.manager, manager.id, Rank::Viewer).unwrap();
    assert_eq!(send(2).await, 403);
    world.server.set_rank(&world.manager, manager.id, Rank::Manager).unwrap();
    assert_eq!(send(3).await, 200);
    assert_eq!(world.ledger(), [200, 5, 5]);
}

#[tokio::test]
async fn a_phone_gone_wild_is_slowed_down_and_one_that_drains_a_full_outbox_is_not() {
    let plant = plant();
    let (world, phone) = (&plant.world, &plant.phone);
    let router = http::router(world.server.clone());
    let send = |path: &str, body: String| {
        let request = Request::post(path)
            .header(wire::HEADER, "1")
            .header("authorization", format!("Bearer {}", phone.token));
        router.clone().oneshot(request.body(Body::from(body)).unwrap())
    };
    // What a phone does that has 5,000 mutations and the worst of links: a thousand small requests, one by one.
    let photo = format!("/v1/photos/{}?from=0", plant.photo);
    for _ in 0..1_000 {
        assert_eq!(send(&photo, String::new()).await.unwrap().status(), 200);
    }
    let sync = serde_json::to_string(&phone.request(phone.next_seq(), 0)).unwrap();
    for path in [photo.as_str(), "/v1/sync", "/v1/manage/mutations"] {
        let refused = send(path, sync.clone()).await.unwrap();
        assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS, "{path}");
        assert_eq!(refused.headers()["retry-after"], "1");
        let body = to_bytes(refused.into_body(), usize::MAX).await.unwrap();
        assert_eq!(serde_json::from_slice::<wire::Refusal>(&body).unwrap(), wire::Refusal::Busy);
    }
    let other = world.phone();
    assert_eq!(
        status(world, "/v1/sync", &other.token, serde_json::to_string(&other.pending()).unwrap()).await,
        200
    );
    world.clock.advance(1_000);
    assert_eq!(send("/v1/sync", sync).await.unwrap().status(), 200);
}

#[tokio::test]
async fn enrolments_from_one_address_have_a_rate_even_where_they_succeed() {
    let plant = plant();
    let enrol = |seed: u8| {
        let (code, _) =
            plant.world.server.create_enrol_code(plant.world.plant, plant.world.rider.id).unwrap();
        let public_key = DeviceKey::from_seed([seed; 32]).public();
        plant
            .world
            .server
            .handle_enrol("192.0.2.1", &EnrolRequest { code, device_name: "p".into(), public_key })
    };
    for seed in 0..60 {
        enrol(seed).unwrap();
    }
    assert!(matches!(enrol(60), Err(carboy_server::Error::Wait { seconds: 1 })));
    plant.world.clock.advance(1_000);
    enrol(61).unwrap();
}

/// A browser at a server that was told where it is reached.
fn reached_at(world: &World, url: &str) -> Browser {
    let clock = world.clock.clone();
    let store = carboy_server::store::Store::open(&world.location).unwrap();
    let public_url = Some(url.parse().unwrap());
    let options = carboy_server::Options { public_url, ..carboy_server::Options::default() };
    let server = carboy_server::Server::over(store, clock, world.random.clone()).with_options(options);
    Browser { router: http::router(std::sync::Arc::new(server)), ..Browser::new(world) }
}

#[tokio::test]
async fn a_link_says_the_address_that_the_server_was_told_and_not_the_one_that_a_browser_uses() {
    let world = world();
    let mut browser = reached_at(&world, "http://plant.example.com/");
    browser.sign_in("grace@example.com", "clean water").await;
    let form = browser.get("/people").await.form("/people/invite");
    let form = with(form, &[("name", "Mary"), ("login", "mary")]);
    let body = form.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect::<Vec<_>>();
    let request = Request::post("/people/invite")
        .header("host", "10.0.0.5:8480")
        .header("content-type", "application/x-www-form-urlencoded");
    let page = browser.send(request, body.join("&").into()).await;
    assert!(page.shows("http://plant.example.com/password/"), "{}", page.html);
}

#[tokio::test]
async fn behind_tls_the_cookies_are_the_hosts_own_and_travel_by_tls_alone() {
    let world = world();
    let mut browser = reached_at(&world, "https://plant.example.com");
    assert_eq!(browser.sign_in("grace@example.com", "clean water").await.status, 303);
    assert_eq!(browser.cookies.keys().collect::<Vec<_>>(), ["__Host-carboy_session"]);
    let answer = browser.router.clone().oneshot(Request::get("/sign-in").body(Body::empty()).unwrap());
    let answer = answer.await.unwrap();
    let cookie = answer.headers()["set-cookie"].to_str().unwrap();
    assert!(cookie.contains("Secure") && cookie.contains("Path=/") && !cookie.contains("Domain"), "{cookie}");
    // A session begun again is another one, and the one before is over.
    let stolen = browser.cookies.clone();
    assert_eq!(browser.sign_in("grace@example.com", "clean water").await.status, 303);
    assert_ne!(browser.cookies, stolen);
    browser.cookies = stolen;
    assert_eq!(browser.get("/customers").await.status, 303);
}
