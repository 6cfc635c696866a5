//! What a phone can rely on when it reads the feed: pages that each leave it with one moment's state, from
//! whatever cursor.

use crate::common::{DAY, Phone, World, kes};
use crate::world;
use carboy_protocol::wire::{FeedItem, Refusal, SyncRequest};
use carboy_protocol::*;
use carboy_server::Server;
use carboy_server::store::Store;
use std::collections::BTreeMap;
use std::thread;

/// What a phone holds of a plant.
#[derive(Debug, Clone, Default, PartialEq)]
struct Replica {
    cursor: u64,
    balances: BTreeMap<CustomerId, i64>,
    profiles: BTreeMap<CustomerId, Profile>,
    entries: BTreeMap<u64, (CustomerId, i64)>,
    routes: BTreeMap<RouteId, Vec<CustomerId>>,
    products: BTreeMap<ProductCode, i64>,
}

impl Replica {
    fn merge(&mut self, items: Vec<FeedItem>, cursor: u64) {
        for item in items {
            match item {
                FeedItem::Product { code, price, .. } => {
                    self.products.insert(code, price.minor);
                }
                FeedItem::Route { route, stops, .. } => {
                    self.routes.insert(route, stops);
                }
                FeedItem::Customer { customer, balance, profile, .. } => {
                    self.balances.insert(customer, balance.minor);
                    self.profiles.extend(profile.map(|profile| (customer, profile)));
                }
                FeedItem::Entry(entry) => {
                    assert!(entry.rev > self.cursor && entry.rev <= cursor);
                    let twice = self.entries.insert(entry.rev, (entry.customer, entry.amount.minor));
                    assert_eq!(twice, None);
                }
                item @ (FeedItem::Settled { .. } | FeedItem::Unknown) => panic!("{item:?}"),
            }
        }
        self.cursor = cursor;
    }

    /// Reads one page. Returns whether there is more.
    fn read(&mut self, world: &World, phone: &Phone) -> bool {
        let request = SyncRequest { cursor: self.cursor, ..phone.request(phone.settled as u64 + 1, 0) };
        let reply = world.server.handle_sync(&phone.auth, &request).unwrap();
        self.merge(reply.feed, reply.cursor);
        reply.more
    }

    fn assert_is_one_moments_state(&self) {
        for (customer, balance) in &self.balances {
            let sum: i64 =
                self.entries.values().filter(|(of, _)| of == customer).map(|(_, minor)| minor).sum();
            assert_eq!(sum, *balance, "customer {customer} at cursor {}", self.cursor);
        }
    }
}

/// A phone's day of deliveries, payments and edits over these customers, sent in batches.
fn busy_day(world: &World, phone: &mut Phone, customers: &[CustomerId], mut between: impl FnMut(&Phone)) {
    for n in 0..1_300_usize {
        let customer = customers[n * 7 % customers.len()];
        let edit = world.edit(Field::Note, &format!("note {n}"));
        phone.record(match (n % 20, edit) {
            (0, Action::UpdateProfile { edit, .. }) => {
                let (context, lamport) = (VectorClock::new(), n as u64);
                Action::UpdateProfile { customer, edit: Edit { context, lamport, ..edit } }
            }
            (1, _) => Action::FailDelivery { customer, reason: FailReason::Closed, note: None },
            _ => Action::CollectCash { customer, amount: kes(n as i64) },
        });
        if n % 97 == 0 {
            phone.sync(world);
            between(phone);
        }
    }
    phone.sync(world);
}

fn customers(world: &World, count: usize) -> Vec<CustomerId> {
    let fields = |n: usize| BTreeMap::from([(Field::Name, format!("Shop {n}"))]);
    (0..count).map(|n| world.server.add_customer(&world.manager, fields(n)).unwrap()).collect()
}

#[test]
fn after_every_page_each_balance_is_the_sum_of_the_entries_read_so_far() {
    let world = world();
    let customers = customers(&world, 12);
    let mut phone = world.phone();
    busy_day(&world, &mut phone, &customers, |_| ());
    let (mut replica, mut pages) = (Replica::default(), 0);
    while replica.read(&world, &phone) {
        replica.assert_is_one_moments_state();
        pages += 1;
    }
    replica.assert_is_one_moments_state();
    assert!(pages >= 2, "one page is no test: {pages}");
    assert_eq!(replica.balances.len(), 13);
}

#[test]
fn whoever_sends_a_long_outbox_reads_its_effects_with_the_answers() {
    let world = world();
    let mut phone = world.phone();
    let cursor = *world.feed(&phone, 0).1.last().unwrap();
    for n in 1..=1_200 {
        phone.record(world.cash(n));
    }
    let reply = world.server.handle_sync(&phone.auth, &SyncRequest { cursor, ..phone.pending() }).unwrap();
    let entries = reply.feed.iter().filter(|item| matches!(item, FeedItem::Entry(_))).count();
    assert_eq!((reply.results.len(), entries, reply.more), (1_200, 1_200, false));
}

#[test]
fn whoever_reads_now_and_then_ends_with_what_one_read_from_the_start_gives() {
    let world = world();
    let customers = customers(&world, 12);
    let mut phone = world.phone();
    let (mut often, mut seldom) = (Replica::default(), Replica::default());
    let mut n = 0;
    busy_day(&world, &mut phone, &customers, |phone| {
        often.read(&world, phone);
        n += 1;
        if n % 4 == 0 {
            seldom.read(&world, phone);
        }
    });
    let mut once = Replica::default();
    for replica in [&mut often, &mut seldom, &mut once] {
        while replica.read(&world, &phone) {}
    }
    assert_eq!(often, once);
    assert_eq!(seldom, once);
}

#[test]
fn every_page_boundary_is_a_place_to_go_on_from() {
    let world = world();
    let customers = customers(&world, 12);
    let mut phone = world.phone();
    busy_day(&world, &mut phone, &customers, |_| ());
    let (_, cursors) = world.feed(&phone, 0);
    let mut whole = Replica::default();
    while whole.read(&world, &phone) {}
    for &cursor in &cursors[..cursors.len() - 1] {
        let mut first = Replica::default();
        while first.cursor < cursor {
            first.read(&world, &phone);
        }
        assert_eq!(first.cursor, cursor);
        // Meanwhile the customers' last changes move behind the cursor.
        world.act(&Action::AdjustBalance { customer: customers[3], amount: kes(-4), reason: "r".into() });
        while first.read(&world, &phone) {}
        while whole.read(&world, &phone) {}
        assert_eq!(first, whole);
    }
}

#[test]
fn a_reader_beside_many_writers_on_several_servers_misses_no_ledger_line() {
    let world = world();
    let riders = (0..6).map(|n| world.server.create_rider(world.plant, &format!("Rider {n}")).unwrap());
    let mut phones: Vec<_> = riders.map(|rider| world.phone_of(&rider)).collect();
    let servers = [0; 3].map(|_| {
        Server::over(Store::open(&world.location).unwrap(), world.clock.clone(), world.random.clone())
    });
    let (reader, mut replica) = (world.phone(), Replica::default());
    // A customer each: only the order of their revs binds the writers together.
    let customers = customers(&world, phones.len());
    let write = |(n, phone): (usize, &mut Phone)| {
        for batch in 0..40 {
            for _ in 0..=batch % 4 {
                phone.record(Action::CollectCash { customer: customers[n], amount: kes(1) });
            }
            let server = &servers[(n + batch) % servers.len()];
            // On a busy machine SQLite may leave one writer waiting for too long: it is told so and comes again.
            let mut replies = (0..20).map(|_| server.handle_sync(&phone.auth, &phone.pending()));
            replies.find(|reply| !matches!(reply, Err(Refusal::Busy))).unwrap().unwrap();
            phone.settled = phone.outbox.len();
        }
    };
    thread::scope(|scope| {
        let write = &write;
        let writers: Vec<_> =
            phones.iter_mut().enumerate().map(|pair| scope.spawn(move || write(pair))).collect();
        while writers.iter().any(|writer| !writer.is_finished()) {
            replica.read(&world, &reader);
            replica.assert_is_one_moments_state();
        }
    });
    while replica.read(&world, &reader) {}
    assert_eq!(replica.entries.len(), 6 * 100);
    replica.assert_is_one_moments_state();
    let mut once = Replica::default();
    while once.read(&world, &reader) {}
    assert_eq!(replica, once);
}

#[test]
fn old_ledger_lines_are_left_out_and_the_balance_still_counts_them() {
    let world = world();
    let mut phone = world.phone();
    phone.record(world.cash(100));
    phone.sync(&world);
    world.clock.advance(59 * DAY);
    phone.record(world.cash(1));
    phone.sync(&world);
    for (later, lines) in [(0, &[-100, -1][..]), (2 * DAY, &[-1])] {
        world.clock.advance(later);
        let mut replica = Replica::default();
        while replica.read(&world, &phone) {}
        assert_eq!(replica.balances[&world.customer], -101);
        assert_eq!(replica.entries.values().map(|(_, minor)| *minor).collect::<Vec<_>>(), lines);
    }
}

#[test]
fn products_and_routes_come_with_their_newest_state() {
    let world = world();
    let phone = world.phone();
    let code: ProductCode = "20L".parse().unwrap();
    world.server.put_product(&world.manager, &code, "Refill", kes(100)).unwrap();
    let stops = customers(&world, 3);
    let route = world.server.put_route(&world.manager, None, "North", &stops).unwrap();
    let mut replica = Replica::default();
    while replica.read(&world, &phone) {}
    world.server.put_product(&world.manager, &code, "Refill", kes(120)).unwrap();
    let turned: Vec<_> = stops.iter().rev().copied().collect();
    world.server.put_route(&world.manager, Some(route), "North", &turned).unwrap();
    while replica.read(&world, &phone) {}
    assert_eq!(replica.products[&code], 120);
    assert_eq!(replica.routes[&route], turned);
}

#[test]
fn a_profile_is_not_sent_again_where_only_the_balance_changed() {
    let world = world();
    let mut phone = world.phone();
    let (_, cursors) = world.feed(&phone, 0);
    phone.record(world.cash(5));
    phone.sync(&world);
    let (items, _) = world.feed(&phone, cursors[0]);
    let without = items.iter().filter(|item| matches!(item, FeedItem::Customer { profile: None, .. }));
    assert_eq!((items.len(), without.count()), (2, 1), "{items:?}");
}

#[test]
fn a_cursor_from_before_the_server_was_set_back_is_answered_with_the_rev_it_has() {
    let world = world();
    let phone = world.phone();
    let (items, cursors) = world.feed(&phone, 1_000_000);
    assert_eq!((items.len(), cursors), (0, vec![1]));
}

#[test]
fn another_plants_changes_are_not_in_the_feed() {
    let world = world();
    let other = world.server.create_plant("Other", "UGX".parse().unwrap()).unwrap();
    let manager = world.server.create_owner(other, "Ali", "ali@example.com", "clean water").unwrap();
    let fields = BTreeMap::from([(Field::Name, "secret".to_owned())]);
    world.server.add_customer(&manager, fields).unwrap();
    let (items, _) = world.feed(&world.phone(), 0);
    assert!(!serde_json::to_string(&items).unwrap().contains("secret"));
    let (items, _) = world.feed(&world.phone_of(&manager), 0);
    assert!(serde_json::to_string(&items).unwrap().contains("secret"));
}
