//! Photos follow the money, piece by piece, and never hold it back.
#![allow(clippy::unwrap_used, clippy::cast_possible_truncation)]

mod support;

use carboy_core::{Body, DeliveredLine, Error, Exchange, LinkError, SyncState};
use carboy_protocol::wire::{Answer, PhotoReply, Rejection};
use carboy_protocol::{Action, Mutation, PhotoHash};
use std::path::PathBuf;
use std::time::Duration;
use support::*;

/// A phone with one delivery that has a photo of so many bytes.
fn phone_with_photo(bytes: usize) -> (tempfile::TempDir, Phone, Vec<u8>) {
    let folder = tempfile::tempdir().unwrap();
    let phone = Phone::with_plant(folder.path());
    let picture: Vec<u8> = (0..bytes).map(|n| (n * 7 % 251) as u8).collect();
    let taken = folder.path().join("camera.jpg");
    std::fs::write(&taken, &picture).unwrap();
    let line = DeliveredLine { product: "20L".parse().unwrap(), delivered: 1, empties: 0 };
    phone.engine.confirm_delivery(customer(1), &[line], None, &[&taken]).unwrap();
    // The copy is the store's own.
    std::fs::remove_file(taken).unwrap();
    (folder, phone, picture)
}

fn settle(phone: &mut Phone) {
    let request = phone.request();
    phone.reply(&applied(&request, 60, vec![balance(1, 25_000)], 60));
}

fn piece(exchange: &Exchange) -> Vec<u8> {
    let Body::Piece(piece) = &exchange.body else { panic!("{} is no piece", exchange.path) };
    piece.clone()
}

fn photo_reply(phone: &mut Phone, received: u64, complete: bool) {
    let reply = PhotoReply { received, complete };
    phone.raw_reply(200, &serde_json::to_string(&reply).unwrap());
}

fn album(folder: &tempfile::TempDir) -> Vec<PathBuf> {
    let folder = file(folder.path()).with_extension("photos");
    std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn a_photo_goes_after_the_money_in_pieces_and_is_then_forgotten() {
    let (folder, mut phone, picture) = phone_with_photo(100_000);
    let hash = PhotoHash::of(&picture);
    let request = phone.request();
    let mutation: Mutation = serde_json::from_str(request.mutations[0].get()).unwrap();
    let Action::ConfirmDelivery { photos, .. } = mutation.action else { panic!() };
    assert_eq!((photos[0].hash, photos[0].bytes), (hash, 100_000));
    phone.reply(&applied(&request, 60, vec![balance(1, 25_000)], 60));

    let status = phone.engine.status().unwrap();
    assert_eq!((status.pending, status.photos, status.photo_bytes), (0, 1, 100_000));
    let mut received = Vec::new();
    while received.len() < picture.len() {
        let exchange = phone.exchange();
        assert_eq!(exchange.path, format!("/v1/photos/{hash}?from={}", received.len()));
        received.extend(piece(&exchange));
        photo_reply(&mut phone, received.len() as u64, received.len() == picture.len());
    }
    assert_eq!(received, picture);
    assert_eq!(phone.engine.status().unwrap().photos, 0);
    assert!(album(&folder).is_empty());
    assert!(phone.waits().is_none());
    assert_eq!(phone.engine.status().unwrap().state, SyncState::Idle);
}

#[test]
fn a_photo_cut_off_goes_on_where_the_server_says() {
    let (_folder, mut phone, picture) = phone_with_photo(100_000);
    settle(&mut phone);
    let first = piece(&phone.exchange()).len() as u64;
    // The piece arrived, its reply did not.
    phone.drainer.reply(Err(LinkError("reset".into())));
    phone.clock.advance(Duration::from_secs(2));
    assert!(phone.exchange().path.ends_with("?from=0"));
    photo_reply(&mut phone, first, false);
    let exchange = phone.exchange();
    assert!(exchange.path.ends_with(&format!("?from={first}")), "{}", exchange.path);
    assert_eq!(piece(&exchange)[..], picture[first as usize..first as usize + piece(&exchange).len()]);
}

#[test]
fn what_is_recorded_meanwhile_goes_before_the_next_piece() {
    let (_folder, mut phone, _) = phone_with_photo(100_000);
    settle(&mut phone);
    piece(&phone.exchange());
    phone.engine.collect_cash(customer(1), kes(5)).unwrap();
    photo_reply(&mut phone, 32_768, false);
    assert_eq!(phone.request().mutations.len(), 1);
}

#[test]
fn a_photo_whose_pieces_are_too_large_for_somebody_on_the_way_goes_in_smaller_ones_and_is_never_given_up() {
    let (_folder, mut phone, picture) = phone_with_photo(100_000);
    settle(&mut phone);
    let mut sizes = vec![piece(&phone.exchange()).len()];
    for _ in 0..3 {
        phone.raw_reply(413, "<html>413</html>");
        sizes.push(piece(&phone.exchange()).len());
    }
    assert_eq!(sizes, [32_768, 16_384, 8_192, 4_096]);
    // The smallest there is: later again.
    phone.raw_reply(413, "<html>413</html>");
    assert!(phone.waits().is_some());
    assert_eq!(phone.engine.status().unwrap().photos, 1);
    phone.clock.advance(Duration::from_secs(1));
    assert_eq!(piece(&phone.exchange()), picture[..4_096]);
}

#[test]
fn a_photo_that_cannot_be_sent_stays_on_the_phone_and_holds_up_nothing() {
    // The server does not take it, it cannot be read any more, or it changed on the way again and again.
    for case in 0..3 {
        let (folder, mut phone, picture) = phone_with_photo(1_000);
        settle(&mut phone);
        match case {
            0 => {
                piece(&phone.exchange());
                phone.raw_reply(404, r#"{"error":"unknown_photo"}"#);
            }
            1 => std::fs::write(&album(&folder)[0], b"other bytes").unwrap(),
            _ => {
                assert_eq!(piece(&phone.exchange()), picture);
                photo_reply(&mut phone, 0, false);
            }
        }
        phone.engine.collect_cash(customer(1), kes(5)).unwrap();
        settle(&mut phone);
        assert_eq!(phone.waits(), None);
        assert_eq!(phone.engine.status().unwrap().state, SyncState::Idle);
        assert_eq!(album(&folder).len(), 1);
    }
}

#[test]
fn a_refused_deliverys_photo_goes_with_the_one_in_its_place() {
    let (_folder, mut phone, _) = phone_with_photo(1_000);
    let request = phone.request();
    let mut reply = applied(&request, 60, vec![], 60);
    reply.results[0].answer = Answer::Rejected { reason: Rejection::Other, detail: String::new() };
    phone.reply(&reply);
    assert_eq!(phone.waits(), None);
    phone.engine.retry(1).unwrap();
    settle(&mut phone);
    assert_eq!(piece(&phone.exchange()).len(), 1_000);
}

#[test]
fn a_refused_deliverys_photo_stays_behind_and_those_around_it_go() {
    let (folder, mut phone, picture) = phone_with_photo(1_000);
    let taken = folder.path().join("camera.jpg");
    for n in [2, 3] {
        std::fs::write(&taken, &picture[n..]).unwrap();
        let line = DeliveredLine { product: "20L".parse().unwrap(), delivered: 1, empties: 0 };
        phone.engine.confirm_delivery(customer(n as u8), &[line], None, &[&taken]).unwrap();
    }
    let request = phone.request();
    let mut reply = applied(&request, 60, vec![], 70);
    reply.results[1].answer = Answer::Rejected { reason: Rejection::Other, detail: String::new() };
    phone.reply(&reply);
    for bytes in [1_000, 997] {
        assert_eq!(piece(&phone.exchange()).len(), bytes);
        photo_reply(&mut phone, bytes as u64, true);
    }
    assert_eq!((phone.waits(), album(&folder).len()), (None, 1));
}

#[test]
fn two_deliveries_with_the_same_photo_send_it_for_both() {
    let (folder, mut phone, picture) = phone_with_photo(1_000);
    let again = folder.path().join("again.jpg");
    std::fs::write(&again, &picture).unwrap();
    let line = DeliveredLine { product: "20L".parse().unwrap(), delivered: 1, empties: 0 };
    phone.engine.confirm_delivery(customer(2), &[line], None, &[&again]).unwrap();
    assert_eq!(album(&folder).len(), 1);
    let request = phone.request();
    phone.reply(&applied(&request, 60, vec![], 70));
    for left in [1, 0] {
        piece(&phone.exchange());
        photo_reply(&mut phone, 1_000, true);
        assert_eq!(album(&folder).len(), left);
    }
}

#[test]
fn a_photo_that_is_missing_empty_or_too_large_records_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let phone = Phone::with_plant(folder.path());
    let line = DeliveredLine { product: "20L".parse().unwrap(), delivered: 1, empties: 0 };
    let (empty, large) = (folder.path().join("empty"), folder.path().join("large"));
    std::fs::write(&empty, b"").unwrap();
    std::fs::File::create(&large).unwrap().set_len(10 * 1024 * 1024 + 1).unwrap();
    let deliver = |path: &std::path::Path| {
        phone.engine.confirm_delivery(customer(1), std::slice::from_ref(&line), None, &[path]).unwrap_err()
    };
    assert!(matches!(deliver(&folder.path().join("none")), Error::UnreadablePhoto(_)));
    assert_eq!(deliver(&empty).to_string(), "a photo of 0 bytes (1 to 10485760)");
    assert_eq!(deliver(&large).to_string(), "a photo of 10485761 bytes (1 to 10485760)");
    let many = [large.as_path(); 6];
    std::fs::write(&large, b"small now").unwrap();
    let too_many = phone.engine.confirm_delivery(customer(1), std::slice::from_ref(&line), None, &many);
    assert_eq!(too_many.unwrap_err().to_string(), "6 photos (0 to 5)");
    let nobody = phone.engine.confirm_delivery(customer(99), std::slice::from_ref(&line), None, &many[..1]);
    assert!(matches!(nobody, Err(Error::UnknownCustomer(_))));
    assert_eq!(phone.pending(), 0);
    assert!(album(&folder).is_empty());
}

#[test]
fn a_copy_whose_record_was_never_made_is_gone_after_the_next_opening() {
    let (folder, phone, _) = phone_with_photo(1_000);
    drop(phone);
    let kept = album(&folder);
    let photos = kept[0].parent().unwrap();
    std::fs::write(photos.join(PhotoHash::of(b"orphan").to_string()), b"orphan").unwrap();
    std::fs::write(photos.join("half.part"), b"ha").unwrap();
    drop(Phone::empty(folder.path()));
    assert_eq!(album(&folder), kept);
}
