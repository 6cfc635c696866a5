//! The beginning of a world: plants with people, customers, routes and products, servers, and a phone for each rider.

use super::phone::{Owner, Phone, Time};
use super::photos::Camera;
use super::server::Node;
use super::{Device, Rider, Site, World};
use crate::dice::{Dice, seed_of};
use crate::disk::Disk;
use crate::history::History;
use crate::model::{Author, Intent, Plant, Wrong};
use crate::report::Stats;
use crate::schedule::{Config, Fault};
use carboy_core::{KeyStore, MemoryKeys, Wake};
use carboy_protocol::wire::EnrolRequest;
use carboy_protocol::{Action, CustomerId, DeviceKey, Field, Money, Role};
use carboy_server::{Rank, Server};
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::sync::Arc;

/// What a plant sells, with the price in minor units.
const PRODUCTS: [(&str, i64); 3] = [("20L", 15_000), ("10L", 9_000), ("5L", 5_000)];

/// How many customers a plant has for each of its riders.
const CUSTOMERS_PER_RIDER: usize = 8;

/// The version that all apps and servers begin with.
const FIRST_VERSION: u32 = 1;

impl World {
    /// A world as it is before anybody does anything.
    ///
    /// # Errors
    /// If it cannot be set up.
    pub fn new(config: &Config) -> Result<Self, Wrong> {
        crate::disk::without_sync();
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        let time = Arc::new(Time::default());
        let path = folder.path().join("plant.db");
        let mut nodes = Vec::new();
        for number in 0..config.servers.max(1) {
            let disk = config.faults.has(Fault::ServerDisk).then(Disk::new).transpose();
            let disk = disk.map_err(|error| error.to_string())?;
            let mut node = Node::new(seed_of(config.seed, &[4, number as u64]), FIRST_VERSION, disk);
            node.start(&path, &time)?;
            nodes.push(node);
        }
        let inspector = rusqlite::Connection::open(&path).map_err(|error| error.to_string())?;
        let camera = Camera::new(folder.path().join("camera")).map_err(|error| error.to_string())?;
        let mut world = Self {
            config: config.clone(),
            folder,
            time,
            queue: BinaryHeap::new(),
            serial: 0,
            sites: Vec::new(),
            phones: Vec::new(),
            nodes,
            devices: BTreeMap::new(),
            inspector,
            camera,
            set_back: BTreeSet::new(),
            history: History::default(),
            stats: Stats::default(),
            version: FIRST_VERSION,
            least_app: FIRST_VERSION,
            rollout: None,
            is_calm: false,
        };
        let plants = config.plants.clamp(1, config.riders.max(1));
        for plant in 0..plants {
            let riders = (plant..config.riders.max(1)).step_by(plants).count();
            world.add_plant(plant, riders)?;
        }
        for site in 0..plants {
            for rider in 0..world.sites[site].riders.len() {
                world.add_phone(site, rider)?;
            }
        }
        Ok(world)
    }

    fn add_plant(&mut self, number: usize, riders: usize) -> Result<(), Wrong> {
        let server = self.nodes[0].server.as_ref().ok_or("no server")?;
        let site = make_plant(server, number, riders).map_err(|error| format!("setting up: {error}"))?;
        self.sites.push(site);
        let customers = CUSTOMERS_PER_RIDER * riders;
        let mut dice = Dice::of(seed_of(self.config.seed, &[5, number as u64]));
        for place in 0..customers {
            let mut id = [0; 16];
            dice.fill(&mut id);
            let customer = CustomerId::from_bytes(id);
            let fields = BTreeMap::from([
                (Field::Name, format!("Customer {place}")),
                (Field::Phone, format!("0700 {place}")),
            ]);
            let action = Action::AddCustomer { customer, fields: fields.clone(), route: None };
            let intent = Intent {
                kind: "add_customer",
                customer: Some(customer),
                changes: Some(fields),
                ..Intent::default()
            };
            self.act(number, 0, &action, &intent)?;
            self.sites[number].customers.push(customer);
        }
        for (place, name) in ["North", "South"].into_iter().enumerate() {
            let stops: Vec<_> = self.sites[number].customers.iter().copied().skip(place).step_by(2).collect();
            let server = self.nodes[0].server.as_ref().ok_or("no server")?;
            let route = server.put_route(&self.sites[number].managers[0], None, name, &stops);
            let route = route.map_err(|error| format!("setting up: {error}"))?;
            let site = &mut self.sites[number];
            site.model.put_route(route, &stops);
            site.routes.push(route);
        }
        Ok(())
    }

    /// Gives a rider a new phone with an empty file. Returns its number.
    pub(super) fn add_phone(&mut self, site: usize, rider: usize) -> Result<usize, Wrong> {
        let number = self.phones.len();
        let account = self.sites[site].riders[rider].account;
        let (plant, currency) = (self.sites[site].id, self.sites[site].currency);
        let owner = Owner {
            plant: site,
            identity: Owner::identity(plant, account, currency),
            time: self.time.clone(),
            seed: self.config.seed,
            number: number as u64,
        };
        let folder = self.folder.path().join(format!("phone-{number}"));
        let keys = Arc::new(MemoryKeys::default());
        self.phones.push(owner.phone(folder, keys, String::new(), self.version));
        self.sites[site].riders[rider].phones.push(number);
        self.enrol(number)?;
        self.start(number)?;
        Ok(number)
    }

    /// Starts a phone's app: everything is there that it said was saved.
    pub(super) fn start(&mut self, number: usize) -> Result<(), Wrong> {
        self.open(number)?;
        self.check_outbox(number)?;
        match self.phones[number] {
            Phone { starts: 1, .. } if self.config.offline => self.signal(number, false),
            // The shell says what it sees before anything else.
            Phone { signal: false, .. } if self.config.offline => self.wake(number, Wake::Offline),
            _ => self.wake(number, Wake::Now),
        }
    }

    /// Opens a phone's file.
    pub(super) fn open(&mut self, number: usize) -> Result<(), Wrong> {
        let site = &self.sites[self.phones[number].plant];
        let identity = Owner::identity(site.id, self.phones[number].account, site.currency);
        let phone = &mut self.phones[number];
        if phone.disk.is_none() && self.config.faults.has(Fault::Disk) {
            phone.disk = Some(Disk::new().map_err(|error| error.to_string())?);
        }
        phone.start(identity).map_err(|error| format!("phone {number}: {error}"))
    }

    /// Whether exactly that waits in a phone's file which must.
    pub(super) fn check_outbox(&self, number: usize) -> Result<(), Wrong> {
        let phone = &self.phones[number];
        let Some(engine) = &phone.engine else { return Ok(()) };
        let status = engine.status().map_err(|error| format!("phone {number}: {error}"))?;
        if status.pending == phone.file.pending.len() as u64 {
            Ok(())
        } else {
            Err(format!("phone {number} holds {} records, not {}", status.pending, phone.file.pending.len()))
        }
    }

    /// Exchanges a one-time code for a token, with a new key. Nothing happens if no server is up.
    pub(super) fn enrol(&mut self, number: usize) -> Result<bool, Wrong> {
        let phone = &self.phones[number];
        let (site, account) = (phone.plant, phone.account);
        let Some(server) = self.nodes.iter().find_map(|node| node.server.as_ref()) else { return Ok(false) };
        let failed = |error: carboy_server::Error| format!("phone {number} is not enrolled: {error}");
        let (code, _) = server.create_enrol_code(self.sites[site].id, account).map_err(failed)?;
        let seed = phone.new_key();
        let device_name = format!("phone {number}");
        let request = EnrolRequest { code, device_name, public_key: DeviceKey::from_seed(seed).public() };
        let told = server.handle_enrol(&format!("address {number}"), &request).map_err(failed)?;
        phone.keys.save(&Phone::key_name(account), &seed).map_err(|error| error.to_string())?;
        let device = Device { plant: site, account, id: told.device, is_revoked: false };
        self.devices.insert(told.token.clone(), device);
        self.phones[number].token = told.token;
        Ok(true)
    }
}

fn make_plant(server: &Server, number: usize, riders: usize) -> Result<Site, carboy_server::Error> {
    let currency = "KES".parse().map_err(|error| carboy_server::Error::Invalid(format!("{error}")))?;
    let id = server.create_plant(&format!("Maji Safi {number}"), currency)?;
    for place in 0..2 {
        // Nobody signs in with a password here: hashing one takes long, and a manager acts as the account that he is.
        server.invite(id, Rank::Owner, &format!("Grace {place}"), &format!("grace-{number}-{place}"))?;
    }
    let managers = server.accounts(id)?;
    let plants = server.plants()?;
    let dashboard = plants.iter().find(|plant| plant.id == id).map(|plant| plant.dashboard);
    let dashboard = dashboard.ok_or(carboy_server::Error::NotFound("plant"))?;
    let mut model = Plant::new(id, dashboard);
    for (code, price) in PRODUCTS {
        let code = code.parse().map_err(|error| carboy_server::Error::Invalid(format!("{error}")))?;
        server.put_product(&managers[0], &code, code.as_str(), Money::new(price, currency))?;
        model.take_rev();
    }
    let riders = (0..riders).map(|rider| {
        let account = server.create_rider(id, &format!("Amina {rider}"))?.id;
        Ok(Rider { account, phones: Vec::new() })
    });
    let riders = riders.collect::<Result<_, carboy_server::Error>>()?;
    let (customers, routes, forms) = (Vec::new(), Vec::new(), Vec::new());
    Ok(Site { id, currency, managers, riders, customers, routes, forms, model })
}

/// The manager as the model knows him.
pub(super) fn author(account: &carboy_server::store::Account) -> Author {
    Author { account: account.id, role: Role::Manager }
}
