//! What a phone can rely on when it sends photos: any piece may come again, and only the right bytes are taken.

use crate::common::{Phone, World};
use crate::world;
use axum::body::{Body, to_bytes};
use axum::http::Request;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use carboy_protocol::wire::{self, MAX_PIECE, PhotoReply, Refusal};
use carboy_protocol::*;
use carboy_server::{Auth, http};
use proptest::prelude::*;
use tower::ServiceExt;

const FILE: &[u8] = b"\xff\xd8\xff a photo of four bottles";

/// A delivery with a photo of these bytes.
fn delivery(world: &World, hash: PhotoHash, bytes: usize) -> Action {
    let mut action = world.delivery(4, 0);
    if let Action::ConfirmDelivery { photos, .. } = &mut action {
        photos.push(Photo { hash, bytes: bytes as u64 });
    }
    action
}

fn with_photo(world: &World, file: &[u8]) -> (Phone, PhotoHash) {
    let (mut phone, hash) = (world.phone(), PhotoHash::of(file));
    phone.record(delivery(world, hash, file.len()));
    phone.sync(world);
    (phone, hash)
}

fn send(world: &World, auth: &Auth, hash: PhotoHash, from: usize, piece: &[u8]) -> PhotoReply {
    world.server.handle_photo(auth, hash, from as u64, piece).unwrap()
}

fn held(received: usize) -> PhotoReply {
    PhotoReply { received: received as u64, complete: false }
}

const fn whole() -> PhotoReply {
    PhotoReply { received: FILE.len() as u64, complete: true }
}

#[test]
fn a_photo_goes_on_where_it_was_cut_and_a_piece_sent_again_changes_nothing() {
    let world = world();
    let (phone, hash) = with_photo(&world, FILE);
    let send = |from: usize, piece: &[u8]| send(&world, &phone.auth, hash, from, piece);
    assert_eq!(send(0, b""), held(0), "an empty piece asks where to go on");
    assert_eq!(send(0, &FILE[..10]), held(10));
    assert_eq!(send(0, &FILE[..10]), held(10), "again");
    assert_eq!(send(5, &FILE[5..]), held(10), "from elsewhere");
    assert_eq!(send(20, &FILE[20..]), held(10), "ahead of what is here");
    assert_eq!(send(0, b""), held(10));
    assert_eq!(send(10, &[FILE, b"more"].concat()[10..]), held(10), "more than the photo has");
    assert_eq!(send(10, &FILE[10..]), whole());
    for (from, piece) in [(0, FILE), (10, &FILE[10..]), (FILE.len(), b"x"), (0, b"")] {
        assert_eq!(send(from, piece), whole());
    }
    assert_eq!(world.one::<usize>("SELECT sum(length(piece)) FROM photo_pieces"), FILE.len());
}

#[test]
fn bytes_that_are_not_the_photos_are_thrown_away_and_sent_again() {
    let world = world();
    let (phone, hash) = with_photo(&world, FILE);
    send(&world, &phone.auth, hash, 0, &FILE[..10]);
    let wrong = vec![b'x'; FILE.len() - 10];
    assert_eq!(send(&world, &phone.auth, hash, 10, &wrong), held(0));
    assert_eq!(world.one::<u32>("SELECT count(*) FROM photo_pieces"), 0);
    assert_eq!(send(&world, &phone.auth, hash, 0, FILE), whole());
}

#[test]
fn a_photo_that_no_applied_mutation_of_the_account_speaks_of_is_not_taken() {
    let world = world();
    let (_, hash) = with_photo(&world, FILE);
    let refused = |auth: &Auth, hash| {
        let before = world.dump();
        let refusal = world.server.handle_photo(auth, hash, 0, FILE);
        assert_eq!(refusal, Err(Refusal::UnknownPhoto));
        assert_eq!(world.dump(), before);
    };
    let mut brian = world.phone_of(&world.server.create_rider(world.plant, "Brian").unwrap());
    refused(&brian.auth, hash);
    let other = world.server.create_plant("Other", "KES".parse().unwrap()).unwrap();
    let stranger = world.phone_of(&world.server.create_rider(other, "Ali").unwrap());
    refused(&stranger.auth, hash);
    let rejected = PhotoHash::of(b"rejected");
    let mut action = delivery(&world, rejected, FILE.len());
    if let Action::ConfirmDelivery { customer, .. } = &mut action {
        *customer = CustomerId::from_bytes([9; 16]);
    }
    brian.record(action);
    brian.sync(&world);
    refused(&brian.auth, rejected);
    // Whoever speaks of it too may send it.
    brian.record(delivery(&world, hash, FILE.len()));
    brian.sync(&world);
    assert_eq!(send(&world, &brian.auth, hash, 0, FILE), whole());
}

#[test]
fn another_riders_false_size_of_a_photo_does_not_stand_in_its_way() {
    let world = world();
    let mut brian = world.phone_of(&world.server.create_rider(world.plant, "Brian").unwrap());
    brian.record(delivery(&world, PhotoHash::of(FILE), 1));
    brian.sync(&world);
    let (phone, hash) = with_photo(&world, FILE);
    assert_eq!(send(&world, &brian.auth, hash, 0, b"x"), held(0));
    assert_eq!(send(&world, &phone.auth, hash, 0, FILE), whole());
}

#[test]
fn any_other_phone_of_the_rider_may_go_on_with_a_photo() {
    let world = world();
    let (phone, hash) = with_photo(&world, FILE);
    send(&world, &phone.auth, hash, 0, &FILE[..10]);
    assert_eq!(send(&world, &world.phone().auth, hash, 10, &FILE[10..]), whole());
}

#[tokio::test]
async fn a_piece_travels_as_it_is_and_what_is_wrong_with_it_is_told_by_type() {
    let world = world();
    let (phone, hash) = with_photo(&world, &vec![7; MAX_PIECE + 1]);
    let router = http::router(world.server.clone());
    let post = |path: String, body: Vec<u8>| {
        Request::post(format!("{}/{path}", wire::PHOTO_PATH))
            .header(wire::HEADER, "1")
            .header("authorization", format!("Bearer {}", phone.token))
            .header("content-type", "application/octet-stream")
            .body(Body::from(body))
            .unwrap()
    };
    let send = async |request: Request<Body>| {
        let (parts, body) = router.clone().oneshot(request).await.unwrap().into_parts();
        assert_eq!(parts.headers[wire::HEADER], "1");
        let body = to_bytes(body, usize::MAX).await.unwrap();
        (parts.status.as_u16(), String::from_utf8(body.to_vec()).unwrap())
    };
    let (status, text) = send(post(format!("{hash}?from=0"), vec![7; MAX_PIECE])).await;
    assert_eq!((status, serde_json::from_str(&text).unwrap()), (200, held(MAX_PIECE)));
    let mut compressed = post(format!("{hash}?from=0"), vec![7]);
    compressed.headers_mut().insert("content-encoding", "gzip".parse().unwrap());
    let mut no_token = post(format!("{hash}?from=0"), vec![7]);
    no_token.headers_mut().remove("authorization");
    let malformed = |refusal: &Refusal| matches!(refusal, Refusal::Malformed { .. });
    type Check = fn(&Refusal) -> bool;
    let cases: [(Request<Body>, u16, Check); 7] = [
        (post(format!("{hash}?from=0"), vec![7; MAX_PIECE + 1]), 413, |refusal| {
            *refusal == Refusal::TooLarge { limit: MAX_PIECE as u64 }
        }),
        (post(format!("{}?from=0", PhotoHash::of(b"?")), vec![7]), 404, |refusal| {
            *refusal == Refusal::UnknownPhoto
        }),
        (post("abc?from=0".into(), vec![7]), 400, malformed),
        (post(hash.to_string(), vec![7]), 400, malformed),
        (post(format!("{hash}?from=-1"), vec![7]), 400, malformed),
        (compressed, 415, malformed),
        (no_token, 401, |refusal| matches!(refusal, Refusal::SignIn { .. })),
    ];
    for (request, status, check) in cases {
        let (got, text) = send(request).await;
        let refusal: Refusal = serde_json::from_str(&text).unwrap();
        assert!(got == status && check(&refusal), "{got} {refusal:?}");
    }
    let (_, text) = send(post(format!("{hash}?from={MAX_PIECE}"), vec![7])).await;
    let reply: PhotoReply = serde_json::from_str(&text).unwrap();
    assert!(reply.complete);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    #[test]
    fn whatever_pieces_come_in_whatever_order_asking_and_going_on_ends_with_the_photo(
        noise in prop::collection::vec((0usize..40, 0usize..40), 0..12),
        step in 1usize..12,
    ) {
        let world = world();
        let (phone, hash) = with_photo(&world, FILE);
        let mut noise = noise.into_iter();
        loop {
            // Late and repeated pieces of the same file arrive in between.
            if let Some((from, length)) = noise.next() {
                let from = from.min(FILE.len());
                send(&world, &phone.auth, hash, from, &FILE[from..(from + length).min(FILE.len())]);
            }
            let reply = send(&world, &phone.auth, hash, 0, b"");
            if reply.complete {
                break;
            }
            let from = usize::try_from(reply.received).unwrap();
            send(&world, &phone.auth, hash, from, &FILE[from..(from + step).min(FILE.len())]);
        }
        let pieces: Vec<(String,)> = world.rows("SELECT piece FROM photo_pieces ORDER BY start");
        let pieces = pieces.iter().map(|(piece,)| BASE64.decode(piece).unwrap());
        let bytes: Vec<u8> = pieces.flatten().collect();
        prop_assert_eq!(bytes, FILE);
    }
}
