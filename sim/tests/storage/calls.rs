//! Everything that can be done to a rider's store, each from the same morning.

use crate::support::*;
use carboy_core::{Correction, DeliveredLine, Engine, Error, Keep, Options, Random, Reply};
use carboy_protocol::wire::{Answer, FeedItem, PhotoReply, Rejection};
use carboy_protocol::{
    ActorId, Dot, FailReason, Field, Progress, Role, RouteId, StockLine, Timestamp, VectorClock, Write,
};
use carboy_sim::disk::Disk;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What whoever did something was told.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Told {
    Done,
    /// The error.
    Failed(String),
    Nothing,
}

/// What a test does while the disk fails.
pub(crate) type Call = Box<dyn FnOnce(&mut Phone) -> Told>;

/// Gets ready for a call, on a good disk.
pub(crate) type Ready = fn(&mut Phone) -> Call;

pub(crate) fn line(delivered: i32, empties: i32) -> DeliveredLine {
    DeliveredLine { product: "20L".parse().unwrap(), delivered, empties }
}

fn stock(full: i32, empty: i32) -> StockLine {
    StockLine { product: "20L".parse().unwrap(), full, empty }
}

pub(crate) fn north() -> RouteId {
    RouteId::from_bytes([7; 16])
}

/// A call of the engine.
fn call<T>(act: impl FnOnce(&Engine) -> Result<T, Error> + 'static) -> Call {
    Box::new(|phone| match act(&phone.engine) {
        Ok(_) => Told::Done,
        Err(error) => Told::Failed(error.to_string()),
    })
}

/// Every kind of record, every choice of the attention list, and a reply.
pub(crate) const CALLS: [(&str, Ready); 24] = [
    ("a delivery", |_| call(|engine| engine.confirm_delivery(customer(1), &[line(2, 1)], None, &[]))),
    ("cash", |_| call(|engine| engine.collect_cash(customer(2), kes(700)))),
    ("an edit", |_| call(|engine| engine.update_profile(customer(3), [(Field::Phone, "07".into())].into()))),
    ("a failure", |_| call(|engine| engine.fail_delivery(customer(4), FailReason::Closed, None))),
    ("progress", |_| call(|engine| engine.note_progress(customer(5), Progress::Arrived))),
    ("a new customer", |_| {
        call(|engine| engine.add_customer([(Field::Name, "New".into())].into(), Some(north())))
    }),
    ("a shift's start", |phone| {
        phone.engine.finish_shift().unwrap();
        call(|engine| engine.start_shift(Some(north())))
    }),
    ("a shift's end", |_| call(Engine::finish_shift)),
    ("stock loaded", |_| call(|engine| engine.load_stock(&[stock(9, 0)]))),
    ("stock returned", |_| call(|engine| engine.return_stock(&[stock(1, 2)]))),
    ("cash handed in", |_| call(|engine| engine.hand_in_cash(kes(100), None))),
    ("a withdrawal", |phone| {
        let id = phone.engine.records(None, 1).unwrap()[0].id;
        call(move |engine| engine.withdraw(id, Some("a slip".into())))
    }),
    ("a refused one taken back", |phone| {
        let id = phone.refused()[0].id;
        call(move |engine| engine.withdraw(id, None))
    }),
    ("a refused one once more", |phone| {
        let id = phone.refused()[0].id;
        call(move |engine| engine.retry(id))
    }),
    ("a refused one corrected", |phone| {
        let id = phone.refused()[0].id;
        call(move |engine| engine.resend(id, &Correction::Amount(kes(5))))
    }),
    ("a refused one accepted", |phone| {
        let id = phone.refused()[0].id;
        call(move |engine| engine.accept(id))
    }),
    ("a delivery with a photo", |phone| {
        let taken = picture(phone);
        call(move |engine| engine.confirm_delivery(customer(1), &[line(1, 1)], None, &[&taken]))
    }),
    ("a photo's first piece", |phone| {
        photo_under_way(phone);
        answer(&PhotoReply { received: 30_000, complete: false })
    }),
    ("a photo's last piece", |phone| {
        photo_under_way(phone);
        answer(&PhotoReply { received: 50_000, complete: true })
    }),
    ("a photo that the server does not take", |phone| {
        photo_under_way(phone);
        reply(404, br#"{"error":"unknown_photo"}"#.to_vec())
    }),
    ("the other one's value kept", |phone| {
        lost_edit(phone);
        call(|engine| engine.settle_edit(customer(8), Field::Phone, Keep::Shown))
    }),
    ("the own value kept", |phone| {
        lost_edit(phone);
        call(|engine| engine.settle_edit(customer(8), Field::Phone, Keep::Mine))
    }),
    ("a new actor", |phone| {
        phone.request();
        reply(409, br#"{"error":"forked","detail":"other content"}"#.to_vec())
    }),
    ("a reply", |phone| {
        let request = phone.request();
        let mut reply = applied(&request, 70, vec![balance(1, 5), balance(2, 9)], 71);
        reply.results[1].answer = refusal();
        Box::new(move |phone| {
            let body = serde_json::to_vec(&reply).unwrap();
            let reply = Reply { status: 200, protocol: Some("1".into()), body, ..Reply::default() };
            match phone.drainer.reply(Ok(reply)) {
                Some(_) => Told::Done,
                None => Told::Failed("not settled".to_owned()),
            }
        })
    }),
];

/// A photo of 50,000 bytes as the camera leaves it.
fn picture(phone: &Phone) -> PathBuf {
    let taken = phone.engine.file().with_file_name("camera.jpg");
    fs::write(&taken, [7; 50_000]).unwrap();
    taken
}

/// Everything is settled, and a photo's first piece is on its way.
fn photo_under_way(phone: &mut Phone) {
    let taken = picture(phone);
    phone.engine.confirm_delivery(customer(1), &[line(1, 1)], None, &[&taken]).unwrap();
    let request = phone.request();
    phone.reply(&applied(&request, 90, vec![], 99));
    assert!(phone.exchange().path.contains("photos"));
}

/// An edit of this rider's stands behind a manager's.
fn lost_edit(phone: &mut Phone) {
    let mut conflicted = profile("Customer 8");
    conflicted.apply(&Write {
        dot: Dot { actor: ActorId::from_bytes([8; 16]), seq: 1 },
        context: VectorClock::new(),
        lamport: 1,
        role: Role::Rider,
        author: identity().account,
        at: Timestamp(5),
        changes: [(Field::Phone, "0799".to_owned())].into(),
    });
    let (balance, profile) = (kes(0), Some(conflicted));
    let item = FeedItem::Customer { customer: customer(8), balance, profile, visit: None, closed: false };
    let request = phone.request();
    phone.reply(&applied(&request, 70, vec![item], 80));
}

/// The server's answer to the piece under way.
fn answer(answer: &PhotoReply) -> Call {
    reply(200, serde_json::to_vec(answer).unwrap())
}

/// A reply to the request under way that nobody hears of but the drainer.
fn reply(status: u16, body: Vec<u8>) -> Call {
    let reply = Reply { status, protocol: Some("1".into()), body, ..Reply::default() };
    Box::new(move |phone| {
        phone.drainer.reply(Ok(reply));
        Told::Nothing
    })
}

fn refusal() -> Answer {
    Answer::Rejected { reason: Rejection::UnknownCustomer, detail: "no customer".into() }
}

/// A folder with a rider's morning: settled, refused and pending records.
pub(crate) fn morning(folder: &Path) {
    let mut phone = Phone::with_plant(folder);
    phone.engine.start_shift(Some(north())).unwrap();
    phone.engine.load_stock(&[stock(40, 0)]).unwrap();
    phone.engine.confirm_delivery(customer(1), &[line(3, 2)], None, &[]).unwrap();
    phone.engine.collect_cash(customer(9), kes(300)).unwrap();
    let request = phone.request();
    let mut reply = applied(&request, 51, vec![balance(1, 55_000)], 54);
    reply.results[3].answer = refusal();
    phone.reply(&reply);
    phone.engine.confirm_delivery(customer(2), &[line(1, 0)], None, &[]).unwrap();
    phone.engine.collect_cash(customer(1), kes(45_000)).unwrap();
}

/// The folder's phone on `disk`. What it makes up is new, and the same each time.
pub(crate) fn phone_on(disk: &Disk, folder: &Path) -> Phone {
    let clock = Arc::new(TestClock::default());
    Phone::open(&Options { clock: clock.clone(), ..options_on(disk, folder) }, clock)
}

pub(crate) fn options_on(disk: &Disk, folder: &Path) -> Options {
    let random = Counter::default();
    (0..1_000).for_each(|_| random.fill(&mut [0; 1]).unwrap());
    Options { random: Arc::new(random), vfs: Some(disk.vfs_name().into()), ..options(folder) }
}
