//! The messages between a phone and a server, as JSON. `docs/protocol.md` describes the exchange.

use crate::{
    AccountId, ActorId, ChainHash, Currency, CustomerId, Day, DeviceId, Dot, Money, PlantId, ProductCode,
    Profile, PublicKey, Role, RouteId, Signature, StopState, Timestamp, TxnId,
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// The protocol version that this code speaks.
pub const VERSION: u16 = 1;

/// The header that carries [`VERSION`] on every request and every reply. A reply without it does not come from
/// a Carboy server, whatever its status says: a supermarket's Wi-Fi answers 200 with its login page.
pub const HEADER: &str = "carboy-protocol";

/// Where a phone sends what it recorded and fetches what changed.
pub const SYNC_PATH: &str = "/v1/sync";

/// Where a phone enrols with a one-time code.
pub const ENROL_PATH: &str = "/v1/enrol";

/// Where a phone sends a photo, piece by piece: `{PHOTO_PATH}/{hash}?from={offset}`.
pub const PHOTO_PATH: &str = "/v1/photos";

/// The largest piece of a photo in one request, in bytes.
pub const MAX_PIECE: usize = 256 * 1024;

/// The most mutations in one request: weeks of a round. Further requests would each cost another round trip, which on
/// 3G is as long as thousands of mutations take on their way.
pub const MAX_BATCH: usize = 5_000;

/// The largest request body that a server accepts, in bytes, after decompression as well as before.
pub const MAX_BODY: usize = 4 * 1024 * 1024;

/// One round trip: mutations up, results and feed down.
///
/// ```
/// use carboy_protocol::{ActorId, ChainHash, DeviceKey, wire::SyncRequest};
/// let actor = ActorId::from_bytes([1; 16]);
/// let head = ChainHash::genesis(actor);
/// let signature = DeviceKey::from_seed([7; 32]).sign_head(actor, 0, head);
/// let text = format!(
///     r#"{{"actor":"{actor}","first_seq":1,"last_seq":0,"head":"{head}","signature":"{}",
///         "cursor":412,"mutations":[]}}"#,
///     String::from(signature),
/// );
/// let request: SyncRequest = serde_json::from_str(&text)?; // only asks for what is new
/// assert_eq!((request.first_seq, request.cursor), (1, 412));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SyncRequest {
    /// The history that the mutations belong to.
    pub actor: ActorId,
    /// The last event of the history that this one continues, if this file was restored or cloned: what came
    /// before it was seen by everything in this history.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<Dot>,
    /// The seq of the first mutation in this request; of the next one to come if there is none.
    pub first_seq: u64,
    /// The last seq that this phone has given, sent or not.
    pub last_seq: u64,
    /// The chain's hash behind the last mutation in this request; behind `first_seq - 1` if there is none.
    pub head: ChainHash,
    /// The device's signature under actor, the last seq that `head` covers, and `head`.
    pub signature: Signature,
    /// The chain's hash behind each mutation as the phone has it, `None` for a row that is gone. Sent only when
    /// the server has asked for them with [`Refusal::Hashes`], to find which entry was changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hashes: Option<Vec<Option<ChainHash>>>,
    /// The mutations in seq order, byte for byte as first written; at most [`MAX_BATCH`].
    #[cfg_attr(feature = "openapi", schema(value_type = Vec<utoipa::openapi::Object>))]
    pub mutations: Vec<Box<RawValue>>,
    /// The last rev of the feed that this phone holds, 0 at first.
    pub cursor: u64,
}

/// An outbox entry whose bytes are no JSON any more is sent as this, so that the server can settle it.
///
/// ```
/// use carboy_protocol::wire::Damaged;
/// let entry = Damaged { damaged: "{\"v\":1,".into() };
/// assert_eq!(serde_json::to_string(&entry)?, r#"{"damaged":"{\"v\":1,"}"#);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Damaged {
    /// What stands in the outbox, with what is not UTF-8 replaced.
    pub damaged: String,
}

/// The answer to a [`SyncRequest`].
///
/// ```
/// use carboy_protocol::wire::{Answer, SyncReply};
/// let reply: SyncReply = serde_json::from_str(
///     r#"{"actor":"01936000-0000-7000-8000-000000000001","cursor":415,"more":false,"feed":[],
///         "results":[{"seq":17,"status":"applied","rev":414}]}"#,
/// )?;
/// assert_eq!(reply.results[0].answer, Answer::Applied { rev: 414 });
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SyncReply {
    /// The request's actor, so that no reply is taken for another's.
    pub actor: ActorId,
    /// One result for each mutation of the request, in its order.
    pub results: Vec<Settlement>,
    /// Changes after the request's cursor, in rev order.
    pub feed: Vec<FeedItem>,
    /// The rev up to which the phone holds the feed once it has merged this reply.
    pub cursor: u64,
    /// Whether there is more feed behind `cursor`.
    pub more: bool,
    /// The rider's day with everything settled so far, this request's mutations included. `None` for an account
    /// that is no rider's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub day: Option<Day>,
}

/// What became of one mutation.
///
/// ```
/// use carboy_protocol::wire::Settlement;
/// let text = r#"{"seq":18,"status":"rejected","reason":"unknown_customer","detail":"","duplicate":true}"#;
/// let settlement: Settlement = serde_json::from_str(text)?;
/// assert!(settlement.duplicate);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Settlement {
    /// Its place in the actor's history.
    pub seq: u64,
    /// The server's answer: for a duplicate the same as the first time.
    #[serde(flatten)]
    pub answer: Answer,
    /// Whether the server knew it already; no effect was repeated.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub duplicate: bool,
}

/// The server's final word on a mutation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Answer {
    /// It took effect.
    Applied {
        /// The feed's rev that contains the effect.
        rev: u64,
    },
    /// It did not take effect. The server keeps it with this reason.
    Rejected {
        /// The reason, for a switch.
        reason: Rejection,
        /// The reason, for a log, with the values.
        detail: String,
    },
    /// The server does not know this kind or version yet. It keeps the mutation and applies it after an upgrade.
    Parked,
}

/// Why a mutation was rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Rejection {
    /// It is not a mutation, or a value is out of range.
    Invalid,
    /// There is no such customer in this plant.
    UnknownCustomer,
    /// The currency is not the plant's.
    CurrencyMismatch,
    /// Its author may not do this.
    Forbidden,
    /// The transaction id already stands for something else.
    TxnReused,
    /// Its bytes are not those that the phone's hash chain vouches for.
    Tampered,
    /// It is about an earlier mutation that the server does not have of this account.
    UnknownRecord,
    /// The earlier mutation was withdrawn already.
    AlreadyWithdrawn,
    /// The earlier mutation cannot be withdrawn, accepted or replaced.
    NotReversible,
    /// A reason that this version does not know.
    #[serde(other)]
    Other,
}

/// One change in the plant, as a phone sees it. Each carries the whole new state of its subject.
///
/// ```
/// use carboy_protocol::wire::FeedItem;
/// let text = r#"{"type":"product","code":"20L","name":"20 litres","price":{"minor":15000,"currency":"KES"}}"#;
/// let item: FeedItem = serde_json::from_str(text)?;
/// assert_eq!(serde_json::to_string(&item)?, text);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum FeedItem {
    /// A product or its price.
    Product {
        /// The plant's code.
        code: ProductCode,
        /// What people call it.
        name: String,
        /// The price of one full bottle.
        price: Money,
    },
    /// A route and its customers, in the order of the round.
    Route {
        /// Which route.
        route: RouteId,
        /// What people call it.
        name: String,
        /// Who is visited, in order.
        stops: Vec<CustomerId>,
    },
    /// A customer's balance, and the profile if that changed behind the cursor.
    Customer {
        /// Which customer.
        customer: CustomerId,
        /// What the customer owes, as of the end of the reply's feed.
        balance: Money,
        /// The profile, if it changed.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        profile: Option<Profile>,
        /// The last record about the customer as a stop, if there is one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        visit: Option<Visit>,
        /// Whether the customer was added by mistake and is not served any more.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        closed: bool,
    },
    /// A line of a customer's ledger.
    Entry(LedgerEntry),
    /// A mutation of this very account that was parked is settled after all: the server was updated.
    Settled {
        /// The mutation.
        txn: TxnId,
        /// What became of it.
        answer: Answer,
    },
    /// Something that this version does not know, from a newer server. It is passed over.
    #[serde(other)]
    Unknown,
}

/// The last record about a customer as a stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Visit {
    /// How the stop stands after it.
    pub state: StopState,
    /// The mutation.
    pub txn: TxnId,
    /// The shift in which it was recorded: in another one the stop stands open again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shift: Option<TxnId>,
}

/// A line of a customer's ledger: append-only, its sum is the balance.
///
/// ```
/// use carboy_protocol::{Role, wire::LedgerEntry};
/// let entry: LedgerEntry = serde_json::from_str(
///     r#"{"txn":"01936000-0000-7000-8000-000000000001","customer":"01936000-0000-7000-8000-000000000002",
///         "kind":"collect_cash","amount":{"minor":-3000,"currency":"KES"},"role":"rider",
///         "author":"01936000-0000-7000-8000-000000000003","at":1732350000000,"rev":414}"#,
/// )?;
/// assert_eq!((entry.role, entry.amount.to_string()), (Role::Rider, "KES -30.00".into()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LedgerEntry {
    /// The mutation that it comes from.
    pub txn: TxnId,
    /// Whose ledger.
    pub customer: CustomerId,
    /// The kind of the mutation, for example `collect_cash`.
    pub kind: String,
    /// The signed amount: positive means the customer owes more.
    pub amount: Money,
    /// The reason or reference given with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// The role of who did it.
    pub role: Role,
    /// Who did it.
    pub author: AccountId,
    /// What the author's clock said: evidence.
    pub at: Timestamp,
    /// The rev at which it was appended.
    pub rev: u64,
}

/// A reply that is not the answer to the request: what the server refuses, and what to do about it.
///
/// ```
/// use carboy_protocol::wire::Refusal;
/// let refusal: Refusal = serde_json::from_str(r#"{"error":"gap","expected":17}"#)?;
/// assert_eq!(refusal, Refusal::Gap { expected: 17 });
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "error", rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Refusal {
    /// The request is not of the expected form (400).
    Malformed {
        /// What is wrong with it.
        detail: String,
    },
    /// The token is missing, wrong, expired or revoked (401).
    SignIn {
        /// Which of these.
        detail: String,
    },
    /// The server expects this seq first (409): resend from there.
    Gap {
        /// The seq that the server expects.
        expected: u64,
    },
    /// The server holds other content of this actor, or more than the phone has (409): take a new actor.
    Forked {
        /// What differs.
        detail: String,
    },
    /// The hash chain does not hold (409): send the same mutations with [`SyncRequest::hashes`].
    Hashes,
    /// No mutation that the server has applied speaks of this photo (404): it is not taken.
    UnknownPhoto,
    /// The body is larger than the server takes, or holds too many mutations (413).
    TooLarge {
        /// The limit that was passed, in bytes or mutations.
        limit: u64,
    },
    /// The server does not speak this protocol version (426).
    Upgrade {
        /// The versions that it speaks.
        supported: Vec<u16>,
    },
    /// The server has too much to do (429, 503): come back after the seconds in `Retry-After`.
    Busy,
    /// The server failed (500). What of the request took effect all the same comes back as a duplicate.
    Internal,
}

/// A phone's first message: the one-time code from the dashboard.
///
/// ```
/// use carboy_protocol::{DeviceKey, wire::EnrolRequest};
/// let public_key = DeviceKey::from_seed([7; 32]).public();
/// let request = EnrolRequest { code: "7KQ2-M9XD".into(), device_name: "Tecno Spark 8".into(), public_key };
/// assert!(serde_json::to_string(&request)?.starts_with(r#"{"code":"7KQ2-M9XD","device_name":"#));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EnrolRequest {
    /// The code, as typed or scanned.
    pub code: String,
    /// What the manager sees the phone as, for example its model.
    pub device_name: String,
    /// What the server checks this phone's signatures with.
    pub public_key: PublicKey,
}

/// The answer to a piece of a photo.
///
/// ```
/// use carboy_protocol::wire::PhotoReply;
/// let reply: PhotoReply = serde_json::from_str(r#"{"received":262144,"complete":false}"#)?;
/// assert_eq!(reply.received, 262_144);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PhotoReply {
    /// How many bytes from the start the server holds: where the next piece begins, whatever this one was. It falls
    /// back to 0 if all came and their hash was not the photo's.
    pub received: u64,
    /// Whether the server holds all of it, with the right hash.
    pub complete: bool,
}

/// What an enrolled phone works with.
///
/// ```
/// use carboy_protocol::wire::EnrolReply;
/// let reply: EnrolReply = serde_json::from_str(
///     r#"{"token":"7f3a","device":"01936000-0000-7000-8000-000000000001",
///         "account":"01936000-0000-7000-8000-000000000002","account_name":"Juma",
///         "plant":"01936000-0000-7000-8000-000000000003","plant_name":"Maji Safi","currency":"KES"}"#,
/// )?;
/// assert_eq!(reply.currency.as_str(), "KES");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct EnrolReply {
    /// The bearer token. Keep it secret; the server stores only its hash.
    pub token: String,
    /// The phone, as the manager's device list names it.
    pub device: DeviceId,
    /// The rider who enrolled it.
    pub account: AccountId,
    /// The rider's name.
    pub account_name: String,
    /// The rider's plant.
    pub plant: PlantId,
    /// The plant's name.
    pub plant_name: String,
    /// The plant's currency.
    pub currency: Currency,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mutation_travels_byte_for_byte_as_first_written() {
        let body = r#"{ "odd" :  "spacing\u0041" }"#;
        let (actor, head) = (ActorId::from_bytes([1; 16]), ChainHash([2; 32]));
        let request = SyncRequest {
            actor,
            parent: None,
            first_seq: 1,
            last_seq: 1,
            head,
            signature: crate::DeviceKey::from_seed([3; 32]).sign_head(actor, 1, head),
            hashes: None,
            mutations: vec![RawValue::from_string(body.to_owned()).unwrap()],
            cursor: 0,
        };
        let read: SyncRequest = serde_json::from_str(&serde_json::to_string(&request).unwrap()).unwrap();
        assert_eq!(read.mutations[0].get(), body);
    }

    #[test]
    fn what_a_newer_server_adds_is_passed_over_and_does_not_break_the_reply() {
        let reply = r#"{"actor":"01010101-0101-0101-0101-010101010101","cursor":3,"more":false,"new":1,
            "results":[{"seq":1,"status":"rejected","reason":"out_of_fashion","detail":"d"}],
            "feed":[{"type":"weather","sun":true}]}"#;
        let reply: SyncReply = serde_json::from_str(reply).unwrap();
        assert_eq!(reply.feed, [FeedItem::Unknown]);
        let rejected = Answer::Rejected { reason: Rejection::Other, detail: "d".into() };
        assert_eq!(reply.results[0].answer, rejected);
    }

    #[test]
    fn an_answer_reads_back_from_what_is_stored_of_it() {
        let answers = [
            Answer::Applied { rev: 7 },
            Answer::Parked,
            Answer::Rejected { reason: Rejection::UnknownCustomer, detail: "no customer x".into() },
        ];
        for answer in answers {
            let text = serde_json::to_string(&answer).unwrap();
            assert_eq!(serde_json::from_str::<Answer>(&text).unwrap(), answer);
        }
    }

    #[test]
    fn the_limits_are_those_that_the_documents_promise() {
        assert_eq!((MAX_BATCH, MAX_PIECE, MAX_BODY), (5_000, 262_144, 4_194_304));
    }
}
