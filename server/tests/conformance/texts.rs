//! Texts from outside: a NUL character, which PostgreSQL does not keep, comes in by no door of either store.

use crate::common::browser::{Browser, with};
use crate::world;
use carboy_protocol::wire::{EnrolRequest, Refusal};
use carboy_server::Error;

#[tokio::test]
async fn a_nul_character_is_refused_by_every_form_and_address_and_is_no_failure_of_the_server() {
    let world = world();
    let mut browser = Browser::signed_in(&world).await;
    let before = world.dump();
    let adjust = format!("/customers/{}/adjust", world.customer);
    for (page, form, field) in [
        ("/people".to_owned(), "/people/invite", "login"),
        ("/people".to_owned(), "/riders", "name"),
        ("/devices".to_owned(), "/tokens", "name"),
        (format!("/customers/{}", world.customer), adjust.as_str(), "reason"),
    ] {
        let fields = browser.get(&page).await.form(form);
        let page = browser.post(form, &with(fields, &[(field, "a\0b")])).await;
        assert_eq!(page.status, 400, "{form}: {}", page.html);
    }
    assert_eq!(browser.get("/customers?q=a%00b").await.status, 400);
    assert_eq!(Browser::new(&world).sign_in("a\0b", "clean water").await.status, 400);
    let refused = world.server.create_rider(&world.manager, "a\0b").unwrap_err();
    assert!(matches!(refused, Error::Refused(Refusal::Malformed { .. })), "{refused:?}");
    assert_eq!(world.dump(), before);
}

#[test]
fn a_phone_that_is_called_by_control_characters_is_enrolled_without_them() {
    let world = world();
    let (code, _) = world.server.create_enrol_code(world.plant, world.rider.id).unwrap();
    let (device_name, public_key) = ("Pi\0xel\n".to_owned(), world.new_key().public());
    world.server.handle_enrol("test", &EnrolRequest { code, device_name, public_key }).unwrap();
    assert_eq!(world.one::<String>("SELECT name FROM devices"), "Pixel");
}
