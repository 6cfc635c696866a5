//! A plant to try things on: products, customers, routes, riders and a manager, all invented.

use crate::{Error, Server};
use carboy_protocol::{AccountId, Action, Currency, CustomerId, Field, Money, PlantId, ProductCode, RouteId};
use serde::Serialize;
use std::collections::BTreeMap;

/// How much of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Customers, spread evenly over the routes.
    pub customers: usize,
    /// Routes.
    pub routes: usize,
    /// Riders, each with an enrolment code.
    pub riders: usize,
}

/// What was made, with all that a phone, a script or a person needs to work with it.
#[derive(Debug, Clone, Serialize)]
pub struct Sample {
    /// The plant.
    pub plant: PlantId,
    /// Its name.
    pub plant_name: String,
    /// Its currency.
    pub currency: Currency,
    /// Who runs it.
    pub manager: SampleManager,
    /// Who delivers.
    pub riders: Vec<SampleRider>,
    /// What is sold.
    pub products: Vec<SampleProduct>,
    /// The rounds.
    pub routes: Vec<SampleRoute>,
    /// Everybody who is delivered to.
    pub customers: Vec<CustomerId>,
}

/// The manager of a sample plant.
#[derive(Debug, Clone, Serialize)]
pub struct SampleManager {
    /// Who.
    pub account: AccountId,
    /// What to sign in with on the dashboard.
    pub login: String,
    /// The password.
    pub password: String,
    /// A bearer token for `POST /v1/manage/mutations`.
    pub token: String,
}

/// A rider of a sample plant.
#[derive(Debug, Clone, Serialize)]
pub struct SampleRider {
    /// Who.
    pub account: AccountId,
    /// What people call him.
    pub name: String,
    /// A one-time code, good for a quarter of an hour.
    pub enrol_code: String,
}

/// A product of a sample plant.
#[derive(Debug, Clone, Serialize)]
pub struct SampleProduct {
    /// Its code.
    pub code: ProductCode,
    /// The price of one bottle in minor units of the plant's currency.
    pub price_minor: i64,
}

/// A route of a sample plant.
#[derive(Debug, Clone, Serialize)]
pub struct SampleRoute {
    /// Which route.
    pub route: RouteId,
    /// Its name.
    pub name: String,
    /// Its customers, in order.
    pub stops: Vec<CustomerId>,
}

const RIDERS: [&str; 6] =
    ["Amina Otieno", "Brian Mwangi", "Caroline Njeri", "David Kiptoo", "Esther Wambui", "Felix Odhiambo"];
const AREAS: [&str; 6] = ["Westlands", "Kilimani", "South B", "Parklands", "Lavington", "Embakasi"];
const OWNERS: [&str; 12] = [
    "Mama Njoki",
    "Baraka",
    "Jirani",
    "Upendo",
    "Simba",
    "Neema",
    "Kazi Moto",
    "Tumaini",
    "Zawadi",
    "Pendo",
    "Imani",
    "Safari",
];
const SHOPS: [&str; 8] =
    ["Supermarket", "Kiosk", "Salon", "Hotel", "Clinic", "Primary School", "Hardware", "Café"];
const STREETS: [&str; 5] = ["Ngong Road", "Moi Avenue", "River Road", "Argwings Kodhek Road", "Mombasa Road"];
const PRODUCTS: [(&str, &str, i64); 3] =
    [("20L", "20 litre refill", 15_000), ("10L", "10 litre refill", 9_000), ("5L", "5 litre bottle", 6_000)];

/// Makes a plant of this size. `password` becomes the manager's.
///
/// # Errors
/// If the database fails or a value is not acceptable.
pub fn create(server: &Server, size: Size, login: &str, password: &str) -> Result<Sample, Error> {
    let currency: Currency = "KES".parse().map_err(|_| Error::Invalid("currency KES".into()))?;
    let plant_name = "Maji Safi Nairobi".to_owned();
    let plant = server.create_plant(&plant_name, currency)?;
    let manager = server.create_owner(plant, "Grace Achieng", login, password)?;
    let products = PRODUCTS
        .iter()
        .map(|&(code, name, price_minor)| {
            let code: ProductCode = code.parse().map_err(|_| Error::Invalid(format!("code {code}")))?;
            server.put_product(&manager, &code, name, Money::new(price_minor, currency))?;
            Ok(SampleProduct { code, price_minor })
        })
        .collect::<Result<_, Error>>()?;
    let customers = (0..size.customers)
        .map(|n| {
            let customer = server.add_customer(&manager, profile(n))?;
            if let Some(amount) = opening(n) {
                let (amount, reason) = (Money::new(amount, currency), "opening balance".to_owned());
                server.act(
                    &manager,
                    server.new_txn()?,
                    &Action::AdjustBalance { customer, amount, reason },
                )?;
            }
            Ok(customer)
        })
        .collect::<Result<Vec<_>, Error>>()?;
    let routes = (0..size.routes)
        .map(|n| {
            let name = format!("{} {}", nth(&AREAS, n), n / AREAS.len() + 1);
            let stops: Vec<_> = customers.iter().copied().skip(n).step_by(size.routes).collect();
            let route = server.put_route(&manager, None, &name, &stops)?;
            Ok(SampleRoute { route, name, stops })
        })
        .collect::<Result<_, Error>>()?;
    let riders = (0..size.riders).map(|n| rider(server, plant, n)).collect::<Result<_, Error>>()?;
    let token = server.create_token(plant, manager.id, "sample script")?;
    let (login, password) = (login.to_owned(), password.to_owned());
    let manager = SampleManager { account: manager.id, login, password, token };
    Ok(Sample { plant, plant_name, currency, manager, riders, products, routes, customers })
}

fn rider(server: &Server, plant: PlantId, n: usize) -> Result<SampleRider, Error> {
    let turn = n / RIDERS.len();
    let name = nth(&RIDERS, n).to_owned() + &if turn == 0 { String::new() } else { format!(" {}", turn + 1) };
    let account = server.create_rider(plant, &name)?.id;
    let (enrol_code, _) = server.create_enrol_code(plant, account)?;
    Ok(SampleRider { account, name, enrol_code })
}

fn profile(n: usize) -> BTreeMap<Field, String> {
    let shop = nth(&SHOPS, n / OWNERS.len() + n);
    let turn = n / (OWNERS.len() * SHOPS.len());
    let branch = if turn == 0 { String::new() } else { format!(" {}", turn + 1) };
    let mut fields = BTreeMap::from([
        (Field::Name, format!("{} {shop}{branch}", nth(&OWNERS, n))),
        (Field::Phone, format!("07{:02} {:03} {:03}", 10 + n % 30, 100 + (n * 37) % 900, (n * 91) % 1000)),
        (Field::Address, format!("{} {}, {}", 3 + (n * 7) % 90, nth(&STREETS, n), nth(&AREAS, n))),
    ]);
    if n % 7 == 3 {
        fields.insert(Field::Note, "deliver at the back door, ask for the key".to_owned());
    }
    fields
}

/// Two of three customers start with something on their ledger.
fn opening(n: usize) -> Option<i64> {
    let bottles = i64::try_from(n % 5).unwrap_or(0) - 1;
    (n % 3 != 2 && bottles != 0).then_some(bottles * 15_000)
}

fn nth<'a>(names: &[&'a str], n: usize) -> &'a str {
    names[n % names.len()]
}
