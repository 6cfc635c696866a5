//! Choices that an input's bytes make: each byte more is a choice more, and when they are used up every choice is the
//! first one.

use arbitrary::{Arbitrary, Unstructured};
use serde_json::{Value, json};

pub(super) struct Choices<'b>(Unstructured<'b>);

impl<'b> Choices<'b> {
    pub(super) fn of(bytes: &'b [u8]) -> Self {
        Self(Unstructured::new(bytes))
    }

    pub(super) fn any<T: Arbitrary<'b> + Default>(&mut self) -> T {
        self.0.arbitrary().unwrap_or_default()
    }

    /// A number below `count`; 0 if that is 0.
    pub(super) fn below(&mut self, count: usize) -> usize {
        self.0.int_in_range(0..=count.max(1) - 1).unwrap_or_default()
    }

    pub(super) fn pick<T: Clone>(&mut self, items: &[T]) -> T {
        items[self.below(items.len())].clone()
    }

    /// An amount: most often a small one.
    pub(super) fn amount(&mut self) -> i64 {
        match self.below(8) {
            0 => self.any(),
            1 => self.pick(&[0, -1, i64::MAX, i64::MIN, 1_000_000_000_000, -1_000_000_000_000]),
            _ => i64::from(self.any::<i16>()),
        }
    }

    /// A value that somebody may not have thought of.
    pub(super) fn nasty(&mut self) -> Value {
        let values = [
            Value::Null,
            json!(-1),
            json!(0),
            json!(i64::MAX),
            json!(i64::MIN),
            json!(u64::MAX),
            json!(1.5e308),
            json!(true),
            json!(""),
            json!("\u{0}"),
            json!("\u{202e}'; DROP TABLE plants; --"),
            json!("9".repeat(3_000)),
            json!("01936000-0000-7000-8000-000000000001"),
            json!([]),
            json!({}),
            json!([[[[[[{"a": [1, 2, {"b": null}]}]]]]]]),
        ];
        match self.below(4) {
            0 => json!(self.any::<i64>()),
            _ => self.pick(&values),
        }
    }

    /// Changes one place of `value`: removes it, repeats it, or puts something else there.
    pub(super) fn change(&mut self, value: &mut Value) {
        let mut places = Vec::new();
        collect(value, String::new(), &mut places);
        let place = self.pick(&places);
        let (top, name) = place.rsplit_once('/').unwrap_or(("", ""));
        match (self.below(4), value.pointer_mut(top)) {
            (1, Some(Value::Object(fields))) => drop(fields.remove(name)),
            (2, Some(Value::Array(items))) if !items.is_empty() => {
                let copy = items[self.below(items.len())].clone();
                items.push(copy);
            }
            _ => {
                let nasty = self.nasty();
                if let Some(place) = value.pointer_mut(&place) {
                    *place = nasty;
                }
            }
        }
    }
}

/// The places of `value`, as JSON pointers.
fn collect(value: &Value, place: String, places: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            fields.iter().for_each(|(name, value)| collect(value, format!("{place}/{name}"), places));
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(n, value)| collect(value, format!("{place}/{n}"), places));
        }
        _ => {}
    }
    places.push(place);
}
