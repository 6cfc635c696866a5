//! What an import would do, decided once: each row's mutations with their ids, and the routes.
//!
//! The ids follow from the file, so that confirming twice, or sending the same file again, repeats nothing.

use super::rows::{Column, Fault, Row, Wrong};
use crate::Error;
use crate::store::{Account, Named, Tx};
use carboy_protocol::{Action, Currency, CustomerId, Edit, Field, Money, PlantId, Profile, RouteId, TxnId};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What an import would do.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Plan {
    pub(super) rows: Vec<Planned>,
    pub(super) faults: Vec<Fault>,
    pub(super) routes: Vec<PlannedRoute>,
}

/// What a row would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Planned {
    pub(super) line: u64,
    pub(super) name: String,
    pub(super) customer: CustomerId,
    pub(super) change: Change,
    /// The row has an opening balance that does not count, because the customer is not new.
    pub(super) leaves_balance: bool,
    pub(super) mutations: Vec<(TxnId, Action)>,
}

/// What becomes of a row's customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Change {
    New,
    Changed,
    Unchanged,
}

/// A route with the customers that the file puts on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct PlannedRoute {
    pub(super) route: RouteId,
    pub(super) name: String,
    pub(super) is_new: bool,
    /// In the file's order, with the place wanted, from 1.
    pub(super) stops: Vec<(CustomerId, Option<u64>)>,
}

/// Makes a plan, for one plant as it is now.
pub(super) struct Planner<'a> {
    tx: &'a Tx<'a>,
    author: &'a Account,
    currency: Currency,
    /// The file, as part of ids.
    file: TxnId,
    /// Why an opening balance stands on a ledger.
    reason: String,
    /// The customers whose names stand in the file, by name in lower case.
    known: BTreeMap<String, Vec<Named>>,
    /// In which line each customer stood.
    lines: BTreeMap<CustomerId, u64>,
    /// And each new one, by name and number.
    new: BTreeMap<(String, String), u64>,
}

impl Plan {
    /// How many rows have this outcome.
    pub(super) fn count(&self, change: Change) -> usize {
        self.rows.iter().filter(|row| row.change == change).count()
    }

    /// Whether it would change anything.
    pub(super) fn does_something(&self) -> bool {
        self.rows.iter().any(|row| !row.mutations.is_empty()) || !self.routes.is_empty()
    }
}

impl<'a> Planner<'a> {
    pub(super) fn new(
        tx: &'a Tx<'a>,
        author: &'a Account,
        currency: Currency,
        file: &[u8],
        reason: String,
    ) -> Self {
        let file = TxnId::of_unreadable(file);
        let (known, lines, new) = Default::default();
        Self { tx, author, currency, file, reason, known, lines, new }
    }

    pub(super) fn plan(mut self, rows: Vec<Row>, faults: Vec<Fault>) -> Result<Plan, Error> {
        let names: BTreeSet<String> = rows.iter().map(|row| name_of(row).to_lowercase()).collect();
        self.known = self.tx.customers_named(self.author.plant, &names)?;
        let mut plan = Plan { faults, ..Plan::default() };
        for row in rows {
            match self.row(&row)? {
                Ok(planned) => {
                    self.put_on_route(&mut plan.routes, &row, planned.customer)?;
                    plan.rows.push(planned);
                }
                Err((column, wrong)) => {
                    plan.faults.push(Fault { line: row.line, column: Some(column), wrong })
                }
            }
        }
        plan.faults.sort_by_key(|fault| fault.line);
        Ok(plan)
    }

    fn row(&mut self, row: &Row) -> Result<Result<Planned, (Column, Wrong)>, Error> {
        let found = match self.find(row)? {
            Ok(found) => found,
            Err(fault) => return Ok(Err(fault)),
        };
        let key = (name_of(row).to_lowercase(), digits(row.fields.get(&Field::Phone)));
        let other = match found {
            Some(customer) => self.lines.insert(customer, row.line),
            None => self.new.insert(key, row.line),
        };
        if let Some(other) = other {
            return Ok(Err((Column::Name, Wrong::Twice { other })));
        }
        Ok(Ok(match found {
            Some(customer) => self.known_customer(row, customer)?,
            None => self.new_customer(row),
        }))
    }

    /// The customer that a row is about; `None` if it is a new one.
    fn find(&self, row: &Row) -> Result<Result<Option<CustomerId>, (Column, Wrong)>, Error> {
        if let Some(id) = row.id {
            return Ok(match self.tx.customer(self.author.plant, id)? {
                Some(customer) if customer.is_closed => Err((Column::Id, Wrong::Closed)),
                Some(_) => Ok(Some(id)),
                None => Err((Column::Id, Wrong::NoCustomer { text: id.to_string() })),
            });
        }
        let named = self.known.get(&name_of(row).to_lowercase()).map_or(&[][..], Vec::as_slice);
        let phone = row.fields.get(&Field::Phone);
        let same_phone: Vec<_> = match phone {
            Some(_) => named.iter().filter(|known| digits(Some(&known.phone)) == digits(phone)).collect(),
            None => named.iter().collect(),
        };
        Ok(match (same_phone.as_slice(), named) {
            ([one], _) => Ok(Some(one.customer)),
            ([_, _, ..], _) => Err((Column::Name, Wrong::Several)),
            ([], []) => Ok(None),
            ([], [one]) if one.phone.is_empty() => Ok(Some(one.customer)),
            ([], _) => Err((Column::Name, Wrong::SameName)),
        })
    }

    fn new_customer(&self, row: &Row) -> Planned {
        let customer = CustomerId::from_bytes(*self.id(&["customer", &row.line.to_string()]).as_bytes());
        let mut actions = vec![Action::AddCustomer { customer, fields: row.fields.clone(), route: None }];
        actions.extend(row.balance.map(|minor| {
            let (amount, reason) = (Money::new(minor, self.currency), self.reason.clone());
            Action::AdjustBalance { customer, amount, reason }
        }));
        self.planned(row, customer, Change::New, actions)
    }

    fn known_customer(&self, row: &Row, customer: CustomerId) -> Result<Planned, Error> {
        let profile = self.tx.profile(self.author.plant, customer)?.ok_or(Error::NotFound("customer"))?;
        let actions: Vec<_> = changed(row, &profile)
            .map(|changes| {
                let edit = Edit { changes, context: profile.clock(), lamport: profile.next_lamport() };
                Action::UpdateProfile { customer, edit }
            })
            .into_iter()
            .collect();
        let change = if actions.is_empty() { Change::Unchanged } else { Change::Changed };
        Ok(self.planned(row, customer, change, actions))
    }

    fn planned(&self, row: &Row, customer: CustomerId, change: Change, actions: Vec<Action>) -> Planned {
        let mutations = actions.into_iter().map(|action| {
            // What it says is part of its id: the same row may later mean another change. It has one opening balance,
            // whatever language its reason is in.
            let says = match action {
                Action::AdjustBalance { .. } => "opening balance".to_owned(),
                _ => serde_json::to_string(&action).unwrap_or_default(),
            };
            (self.id(&[&self.author.id.to_string(), &row.line.to_string(), &says]), action)
        });
        Planned {
            line: row.line,
            name: name_of(row).to_owned(),
            customer,
            change,
            leaves_balance: change != Change::New && row.balance.is_some(),
            mutations: mutations.collect(),
        }
    }

    fn put_on_route(
        &self,
        routes: &mut Vec<PlannedRoute>,
        row: &Row,
        customer: CustomerId,
    ) -> Result<(), Error> {
        let Some(name) = &row.route else { return Ok(()) };
        let is_it = |route: &PlannedRoute| route.name.to_lowercase() == name.to_lowercase();
        if let Some(route) = routes.iter_mut().find(|route| is_it(route)) {
            route.stops.push((customer, row.position));
            return Ok(());
        }
        let known = self.tx.route_named(self.author.plant, name)?;
        let new = || RouteId::from_bytes(*self.id(&["route", &name.to_lowercase()]).as_bytes());
        routes.push(PlannedRoute {
            route: known.unwrap_or_else(new),
            name: name.clone(),
            is_new: known.is_none(),
            stops: vec![(customer, row.position)],
        });
        Ok(())
    }

    fn id(&self, parts: &[&str]) -> TxnId {
        let (plant, file) = (self.author.plant.to_string(), self.file.to_string());
        let all: Vec<_> = ["import", &plant, &file].into_iter().chain(parts.iter().copied()).collect();
        TxnId::of_unreadable(all.join("\n").as_bytes())
    }
}

/// The stops of a route once the file's are on it: those with a place go there, new ones without one to the end, and
/// all others keep their order.
pub(super) fn placed(before: &[CustomerId], stops: &[(CustomerId, Option<u64>)]) -> Vec<CustomerId> {
    let mut wanted: Vec<_> =
        stops.iter().filter_map(|(customer, place)| place.map(|place| (place, *customer))).collect();
    // Stable: of two for one place, the file's first comes first.
    wanted.sort_by_key(|(place, _)| *place);
    let moved: BTreeSet<_> = wanted.iter().map(|(_, customer)| *customer).collect();
    let known: BTreeSet<_> = before.iter().copied().collect();
    let added = stops.iter().map(|(customer, _)| *customer).filter(|customer| !known.contains(customer));
    let mut after: Vec<_> =
        before.iter().copied().chain(added).filter(|customer| !moved.contains(customer)).collect();
    for (place, customer) in wanted {
        let index = usize::try_from(place - 1).unwrap_or(usize::MAX).min(after.len());
        after.insert(index, customer);
    }
    after
}

fn changed(row: &Row, profile: &Profile) -> Option<BTreeMap<Field, String>> {
    let differs =
        |(field, value): &(&Field, &String)| profile.shown(**field).unwrap_or_default() != value.as_str();
    let changes: BTreeMap<_, _> =
        row.fields.iter().filter(differs).map(|(field, value)| (*field, value.clone())).collect();
    (!changes.is_empty()).then_some(changes)
}

fn name_of(row: &Row) -> &str {
    row.fields.get(&Field::Name).map_or("", String::as_str)
}

/// A number however it is spaced; a text without digits as it stands.
fn digits(phone: Option<&String>) -> String {
    let phone = phone.map_or("", String::as_str);
    let digits: String = phone.chars().filter(char::is_ascii_digit).collect();
    if digits.is_empty() { phone.to_lowercase() } else { digits }
}

/// Those of `stops` that are served: a row may have been refused.
pub(super) fn served(
    tx: &Tx<'_>,
    plant: PlantId,
    stops: &[(CustomerId, Option<u64>)],
) -> Result<Vec<(CustomerId, Option<u64>)>, Error> {
    let customers: Vec<_> = stops.iter().map(|(customer, _)| *customer).collect();
    let known = tx.customers_by_id(plant, &customers)?;
    let served: BTreeSet<_> =
        known.into_iter().filter(|(_, state)| !state.is_closed).map(|(customer, _)| customer).collect();
    Ok(stops.iter().copied().filter(|(customer, _)| served.contains(customer)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stops_take_their_places_and_the_others_keep_their_order() {
        let [a, b, c, d] = [1, 2, 3, 4].map(|n| CustomerId::from_bytes([n; 16]));
        assert_eq!(placed(&[], &[(b, Some(2)), (a, Some(1)), (c, None)]), [a, b, c]);
        assert_eq!(placed(&[a, b, c], &[(d, Some(2))]), [a, d, b, c]);
        assert_eq!(placed(&[a, b, c], &[(c, Some(1)), (d, None)]), [c, a, b, d]);
        assert_eq!(placed(&[a, b], &[(a, None)]), [a, b], "who is on it stays where he is");
        assert_eq!(placed(&[a], &[(b, Some(99))]), [a, b]);
        let once = placed(&[a, b, c], &[(c, Some(1)), (d, Some(3))]);
        assert_eq!(placed(&once, &[(c, Some(1)), (d, Some(3))]), once, "again changes nothing");
    }
}
