//! How a plant's pages write: its time zone and its language, on every store.

use crate::world;

#[test]
fn a_plants_time_zone_and_language_are_kept_and_no_other_plants_change() {
    let world = world();
    let other = world.server.create_plant("Other", "UGX".parse().unwrap()).unwrap();
    world.server.set_plant_formats(&world.manager, " africa/nairobi ", "sw-KE").unwrap();
    for (time_zone, language) in [("Africa/Atlantis", "sw"), ("", "sw"), ("UTC", "tlh"), ("UTC", "")] {
        world.server.set_plant_formats(&world.manager, time_zone, language).unwrap_err();
    }
    for plant in world.server.plants().unwrap() {
        let expected = if plant.id == other { ("UTC", "en") } else { ("Africa/Nairobi", "sw") };
        assert_eq!((&*plant.time_zone, &*plant.language), expected, "{}", plant.name);
    }
}
