//! The list of customers: every one on one page, and on every page how many there are.

use crate::common::browser::Browser;
use crate::world;
use carboy_protocol::{Action, CustomerId, Field};
use std::collections::BTreeSet;

#[tokio::test]
async fn each_page_of_a_list_tells_how_many_there_are_in_all_though_their_names_are_alike() {
    let world = world();
    let mut phone = world.phone();
    for n in 1..=110 {
        let name = if n % 2 == 0 { "Kiosk" } else { "Shop" };
        let (customer, fields) = (CustomerId::from_bytes([n; 16]), [(Field::Name, name.to_owned())].into());
        phone.record(Action::AddCustomer { customer, fields, route: None });
    }
    phone.sync(&world);
    let mut browser = Browser::signed_in(&world).await;
    // The world has a kiosk of its own.
    for (query, total, pages) in [("", 111, 3), ("q=kiosk&", 56, 2), ("q=shop&", 55, 2), ("q=x&", 0, 1)] {
        let mut seen = Vec::new();
        // Behind the last page stands nobody, and how many there are all the same.
        for number in 1..=pages + 1 {
            let page = browser.get(&format!("/customers?{query}page={number}")).await;
            let said = format!("</h1><span class=\"muted\">{total}</span>");
            assert!(page.html.contains(&said), "{query}page={number}: {}", page.html);
            let links = page.html.split("<li><a href=\"/customers/").skip(1);
            seen.extend(links.map(|link| link.split('"').next().unwrap().to_owned()));
        }
        assert_eq!(seen.len(), total, "{query}");
        assert_eq!(seen.into_iter().collect::<BTreeSet<_>>().len(), total, "{query}");
    }
}
