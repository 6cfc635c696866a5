//! What managers do: on forms that may be long out of date when they are sent, and are sent twice at times.

use super::set_up::author;
use super::{Event, World};
use crate::dice::Dice;
use crate::model::{Intent, Seen, Wrong};
use crate::schedule::Fault;
use carboy_protocol::{Action, CustomerId, Edit, Field, Money, Profile, TxnId, VectorClock};
use std::collections::BTreeMap;

/// How many forms stand open at a plant's desks.
const OPEN_FORMS: usize = 6;

/// A customer's page as it was shown.
#[derive(Debug, Clone)]
pub(crate) struct Form {
    customer: CustomerId,
    until: u64,
    context: VectorClock,
    lamport: u64,
    balance: i64,
}

/// A form that is sent.
pub(crate) struct Submission {
    manager: usize,
    txn: TxnId,
    action: Action,
    intent: Intent,
}

impl World {
    /// A manager does something at the dashboard.
    pub(super) fn manage(&mut self, chance: u64) -> Result<(), Wrong> {
        let mut dice = Dice::of(chance);
        let number = dice.below(self.sites.len());
        let manager = dice.below(self.sites[number].managers.len());
        match dice.weighted(&[40, 20, 20, 6, 4, 4, 10]) {
            what @ 0..=2 => self.use_form(number, manager, what, &mut dice),
            3 => self.add_customer(number, manager, &mut dice),
            4 => self.change_price(number, manager, &mut dice),
            5 => self.change_route(number, manager, &mut dice),
            _ => self.close_record(number, manager, &mut dice),
        }
    }

    /// Opens a customer's page and sends what is changed on it: at once, or later from a page opened long before.
    fn use_form(&mut self, number: usize, manager: usize, what: usize, dice: &mut Dice) -> Result<(), Wrong> {
        let place = dice.skewed(self.sites[number].customers.len());
        let customer = self.sites[number].customers[place];
        let Some(form) = self.look(number, customer)? else { return Ok(()) };
        let forms = &mut self.sites[number].forms;
        forms.push(form.clone());
        let form = if self.config.faults.has(Fault::StaleForm) && !self.is_calm && dice.chance(300) {
            let place = dice.below(forms.len());
            forms[place].clone()
        } else {
            form
        };
        if forms.len() > OPEN_FORMS {
            forms.remove(0);
        }
        let submission = self.filled(number, manager, &form, what, dice)?;
        let resent = self.strikes(Fault::StaleForm) && dice.chance(200);
        if resent {
            self.stats.strike(Fault::StaleForm, [submission.intent.kind].into_iter());
            let again = Submission {
                manager,
                txn: submission.txn,
                action: submission.action.clone(),
                intent: submission.intent.clone(),
            };
            self.later(dice.within(0..7_200_000), Event::Submit { site: number, form: Box::new(again) });
        }
        self.stats.act(submission.intent.kind);
        self.submit(number, &submission)
    }

    /// What the manager writes into a form.
    fn filled(
        &self,
        number: usize,
        manager: usize,
        form: &Form,
        what: usize,
        dice: &mut Dice,
    ) -> Result<Submission, Wrong> {
        let currency = self.sites[number].currency;
        let money = |minor| Money::new(minor, currency);
        let (customer, reason) = (form.customer, "agreed by phone".to_owned());
        let (kind, action, amount, changes, seen) = match what {
            0 => {
                let field = *dice.pick(&Field::ALL).unwrap_or(&Field::Phone);
                let changes: BTreeMap<_, _> = [(field, format!("manager {}", dice.below(1_000_000)))].into();
                let (context, lamport) = (form.context.clone(), form.lamport + 1);
                let edit = Edit { changes: changes.clone(), context, lamport };
                let seen = Seen { until: form.until, own: Vec::new(), lamport };
                let action = Action::UpdateProfile { customer, edit };
                ("update_profile", action, None, Some(changes), Some(seen))
            }
            1 => {
                let amount = dice.amount(1..50_000) * if dice.chance(500) { 1 } else { -1 };
                let action = Action::AdjustBalance { customer, amount: money(amount), reason };
                ("adjust_balance", action, Some(amount), None, None)
            }
            _ => {
                let target = dice.amount(0..100_000);
                let (seen, target_money) = (money(form.balance), money(target));
                let action = Action::SetBalance { customer, seen, target: target_money, reason };
                ("set_balance", action, Some(target - form.balance), None, None)
            }
        };
        let mut id = [0; 16];
        dice.fill(&mut id);
        let intent = Intent { kind, customer: Some(customer), amount, changes, seen, ..Intent::default() };
        Ok(Submission { manager, txn: TxnId::from_bytes(id), action, intent })
    }

    /// Opens a customer's page.
    fn look(&self, number: usize, customer: CustomerId) -> Result<Option<Form>, Wrong> {
        let site = &self.sites[number];
        let Some(known) = site.model.customers().get(&customer) else { return Ok(None) };
        let sql = "SELECT profile, balance FROM customers JOIN profiles USING (plant, customer)
                   WHERE plant = ?1 AND customer = ?2";
        let mut query = self.inspector.prepare_cached(sql).map_err(|error| error.to_string())?;
        let (profile, balance): (String, i64) = query
            .query_row([site.id.as_bytes(), customer.as_bytes()], |row| Ok((row.get(0)?, row.get(1)?)))
            .map_err(|error| format!("customer {customer}: {error}"))?;
        let profile: Profile = serde_json::from_str(&profile).map_err(|error| error.to_string())?;
        let (context, until) = (profile.clock(), site.model.rev());
        Ok(Some(Form { customer, until, context, lamport: known.lamport(), balance }))
    }

    /// A form reaches a server.
    pub(super) fn submit(&mut self, number: usize, form: &Submission) -> Result<(), Wrong> {
        let Submission { manager, txn, action, intent } = form;
        self.act_as(number, *manager, *txn, action, intent)
    }

    /// Settles what a manager does under a new id.
    pub(super) fn act(
        &mut self,
        number: usize,
        manager: usize,
        action: &Action,
        intent: &Intent,
    ) -> Result<(), Wrong> {
        let server = self.nodes[0].server.as_ref().ok_or("no server")?;
        let txn = server.new_txn().map_err(|error| error.to_string())?;
        self.act_as(number, manager, txn, action, intent)
    }

    fn act_as(
        &mut self,
        number: usize,
        manager: usize,
        txn: TxnId,
        action: &Action,
        intent: &Intent,
    ) -> Result<(), Wrong> {
        let now = self.now();
        let Some(node) = self.nodes.iter().position(|node| node.server.is_some()) else { return Ok(()) };
        let Some(server) = &self.nodes[node].server else { return Ok(()) };
        let site = &mut self.sites[number];
        let account = &site.managers[manager];
        let outcome = server.act(account, txn, action);
        let outcome = outcome.map_err(|error| format!("a manager's {} fails: {error}", intent.kind))?;
        self.history.note(now, "manage", number, format!("{outcome:?}").as_bytes());
        let (verdict, duplicate) = site.model.manage(author(account), txn, action, intent)?;
        if verdict.is(&outcome.answer) && outcome.duplicate == duplicate {
            Ok(())
        } else {
            Err(format!("a manager's {action:?} is told {outcome:?}, not {verdict:?}, duplicate {duplicate}"))
        }
    }

    fn add_customer(&mut self, number: usize, manager: usize, dice: &mut Dice) -> Result<(), Wrong> {
        let mut id = [0; 16];
        dice.fill(&mut id);
        let customer = CustomerId::from_bytes(id);
        let fields: BTreeMap<_, _> = [(Field::Name, format!("New customer {}", dice.below(1_000)))].into();
        let route = dice.pick(&self.sites[number].routes).copied().filter(|_| dice.chance(500));
        let action = Action::AddCustomer { customer, fields: fields.clone(), route };
        let intent = Intent {
            kind: "add_customer",
            customer: Some(customer),
            changes: Some(fields),
            ..Intent::default()
        };
        dice.fill(&mut id);
        self.stats.act(intent.kind);
        let form = Submission { manager, txn: TxnId::from_bytes(id), action, intent };
        self.submit(number, &form)?;
        if self.sites[number].model.customers().contains_key(&customer) {
            self.sites[number].customers.push(customer);
        }
        Ok(())
    }

    fn change_price(&mut self, number: usize, manager: usize, dice: &mut Dice) -> Result<(), Wrong> {
        let Some(server) = self.nodes.iter().find_map(|node| node.server.as_ref()) else { return Ok(()) };
        let code = ["20L", "10L", "5L"][dice.below(3)];
        let price = Money::new(dice.amount(1_000..30_000), self.sites[number].currency);
        let site = &mut self.sites[number];
        let product = code.parse().map_err(|error| format!("{error}"))?;
        let put = server.put_product(&site.managers[manager], &product, code, price);
        put.map_err(|error| format!("a price is not changed: {error}"))?;
        site.model.take_rev();
        Ok(())
    }

    fn change_route(&mut self, number: usize, manager: usize, dice: &mut Dice) -> Result<(), Wrong> {
        let Some(server) = self.nodes.iter().find_map(|node| node.server.as_ref()) else { return Ok(()) };
        let site = &mut self.sites[number];
        let Some(&route) = dice.pick(&site.routes) else { return Ok(()) };
        let known = site.model.customers();
        let mut stops: Vec<_> =
            known.iter().filter(|(_, known)| !known.closed).map(|(customer, _)| *customer).collect();
        stops.retain(|_| dice.chance(400));
        let put = server.put_route(&site.managers[manager], Some(route), "Round", &stops);
        put.map_err(|error| format!("a route is not changed: {error}"))?;
        site.model.put_route(route, &stops);
        Ok(())
    }

    /// Deals with a mutation that was not accepted, in its author's place.
    fn close_record(&mut self, number: usize, manager: usize, dice: &mut Dice) -> Result<(), Wrong> {
        let Some(server) = self.nodes.iter().find_map(|node| node.server.as_ref()) else { return Ok(()) };
        let site = &mut self.sites[number];
        let open = site.model.open();
        let Some(&(account, txn)) = dice.pick(&open) else { return Ok(()) };
        let author = (&site.managers[manager]).into();
        match server.close_record(author, (account, txn), "seen") {
            Ok(()) => {
                site.model.close(account, txn);
                Ok(())
            }
            Err(error) => Err(format!("{txn} of {account} is not closed: {error}")),
        }
    }
}
