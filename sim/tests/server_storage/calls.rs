//! What a server is asked to do, each from the same plant: every kind of mutation from a phone, a manager's edits, a
//! photo, the feed.

use carboy_protocol::wire::SyncRequest;
use carboy_protocol::{Action, CustomerId, FailReason, Field, Progress, TxnId};
use carboy_server::{Auth, Error};
use carboy_sim::plant::{History, PHOTO, Plant, Setting, delivery, edit, kes, photo, stock};

/// Something that a server is asked. What it answers is the same whenever it is asked again.
pub(crate) struct Call {
    pub(crate) name: &'static str,
    pub(crate) act: fn(&Plant) -> Result<String, String>,
    /// What is answered is read after what was asked for is durable: an error does not say that nothing was done.
    pub(crate) reads_after: bool,
    /// Asking for what is done already is answered as the first time.
    pub(crate) is_repeatable: bool,
}

const fn phones(name: &'static str, act: fn(&Plant) -> Result<String, String>) -> Call {
    Call { name, act, reads_after: true, is_repeatable: true }
}

const fn managers(name: &'static str, act: fn(&Plant) -> Result<String, String>) -> Call {
    Call { name, act, reads_after: false, is_repeatable: true }
}

pub(crate) const CALLS: [Call; 11] = [
    phones("a request with every kind", |plant| {
        let mut history = plant.setting.history.clone();
        for action in actions(&plant.setting) {
            history.record(action);
        }
        history
            .record_raw(r#"{"v":1,"txn":"01936000-0000-7000-8000-000000000001","kind":"sing"}"#.to_owned());
        history.record_raw(r#"{"damaged":"x"}"#.to_owned());
        sync(plant, &history, plant.setting.settled)
    }),
    phones("a restored phone's request", |plant| {
        let mut history = plant.setting.history.restored(1, 0xb0);
        history.record(Action::CollectCash { customer: plant.setting.customers[2], amount: kes(70) });
        sync(plant, &history, 0)
    }),
    phones("the feed", |plant| {
        let history = &plant.setting.history;
        let request = history.request(plant.setting.settled, 0, &plant.setting.key);
        send(plant, &request)
    }),
    Call {
        name: "a photo",
        act: |plant| {
            plant.surroundings.rewind();
            let reply = plant.server.handle_photo(&auth(plant)?, photo().hash, 0, &PHOTO);
            reply.map(|reply| format!("{reply:?}")).map_err(|refusal| format!("{refusal:?}"))
        },
        reads_after: false,
        is_repeatable: true,
    },
    managers("an edit", |plant| act(plant, &edit(plant.setting.customers[1], "0722"))),
    managers("a balance set", |plant| {
        let customer = plant.setting.customers[0];
        act(
            plant,
            &Action::SetBalance { customer, seen: kes(45_000), target: kes(9), reason: "agreed".into() },
        )
    }),
    managers("a balance adjusted", |plant| {
        let customer = plant.setting.customers[3];
        act(plant, &Action::AdjustBalance { customer, amount: kes(-5), reason: "a gift".into() })
    }),
    managers("a customer added", |plant| act(plant, &added(0xd0))),
    managers("a record taken back", |plant| {
        // By its author alone, so this is refused: and the refusal is kept.
        act(plant, &Action::Withdraw { target: plant.setting.delivery, reason: None, restore: None })
    }),
    Call {
        name: "a route",
        act: |plant| {
            plant.surroundings.rewind();
            let stops = &plant.setting.customers[1..];
            answer(plant.server.put_route(&plant.setting.manager, Some(plant.setting.route), "South", stops))
        },
        reads_after: false,
        is_repeatable: false,
    },
    Call {
        name: "a record dealt with",
        act: |plant| {
            plant.surroundings.rewind();
            let Setting { manager, rider, rejected, .. } = &plant.setting;
            answer(plant.server.close_record(manager.into(), (rider.id, *rejected), "seen"))
        },
        reads_after: false,
        is_repeatable: false,
    },
];

/// One action of each kind that a phone sends; the last one it may not.
fn actions(setting: &Setting) -> Vec<Action> {
    let customer = setting.customers[0];
    vec![
        Action::LoadStock { lines: stock(40, 0) },
        delivery(setting.customers[1], vec![]),
        Action::CollectCash { customer, amount: kes(30_000) },
        edit(setting.customers[1], "0733"),
        Action::FailDelivery { customer: setting.customers[2], reason: FailReason::Closed, note: None },
        Action::NoteProgress { customer: setting.customers[3], progress: Progress::Arrived },
        added(0xe0),
        Action::Withdraw { target: setting.delivery, reason: Some("wrong shop".into()), restore: None },
        Action::Accept { target: setting.rejected },
        Action::ReturnStock { lines: stock(1, 5) },
        Action::HandInCash { amount: kes(30_000), note: None },
        Action::FinishShift {},
        Action::StartShift { route: None },
        Action::AdjustBalance { customer, amount: kes(1), reason: "mine".into() },
    ]
}

fn added(n: u8) -> Action {
    let fields = [(Field::Name, "New".to_owned())].into();
    Action::AddCustomer { customer: CustomerId::from_bytes([n; 16]), fields, route: None }
}

/// What a phone's request is answered, but for whether it was known already.
fn sync(plant: &Plant, history: &History, settled: usize) -> Result<String, String> {
    send(plant, &history.request(settled, 0, &plant.setting.key))
}

fn send(plant: &Plant, request: &SyncRequest) -> Result<String, String> {
    plant.surroundings.rewind();
    let reply = plant.server.handle_sync(&auth(plant)?, request);
    let mut reply = reply.map_err(|refusal| format!("{refusal:?}"))?;
    reply.results.iter_mut().for_each(|settlement| settlement.duplicate = false);
    Ok(format!("{reply:?}"))
}

fn auth(plant: &Plant) -> Result<Auth, String> {
    plant.auth().map_err(|refusal| format!("{refusal:?}"))
}

/// What a manager's action is answered, but for whether it was known already.
fn act(plant: &Plant, action: &Action) -> Result<String, String> {
    plant.surroundings.rewind();
    let outcome = plant.server.act(&plant.setting.manager, TxnId::from_bytes([0xf0; 16]), action);
    answer(outcome.map(|outcome| outcome.answer))
}

fn answer<T: std::fmt::Debug>(result: Result<T, Error>) -> Result<String, String> {
    result.map(|answer| format!("{answer:?}")).map_err(|error| error.to_string())
}
