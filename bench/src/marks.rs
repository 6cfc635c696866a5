//! The marks: what a figure may be at most, printed beside it.

/// Collects which marks are missed.
#[derive(Default)]
pub(crate) struct Marks {
    pub(crate) missed: Vec<String>,
}

impl Marks {
    /// Prints `value` beside its mark.
    pub(crate) fn at_most(&mut self, what: &str, value: f64, mark: f64, unit: &str) {
        let is_met = value <= mark;
        let verdict = if is_met { "met" } else { "MISSED" };
        println!("  {what}: {value:.2}{unit} (mark: at most {mark:.2}{unit}) {verdict}");
        if !is_met {
            self.missed.push(format!("{what}: {value:.2}{unit}"));
        }
    }
}
