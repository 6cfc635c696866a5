//! The marks: what a figure may be at most or must be at least, printed beside it.

/// Collects which marks are missed.
#[derive(Default)]
pub(crate) struct Marks {
    pub(crate) missed: Vec<String>,
}

impl Marks {
    /// Prints `value` beside its mark.
    pub(crate) fn at_most(&mut self, what: &str, value: f64, mark: f64, unit: &str) {
        self.judge(what, value <= mark, &format!("{value:.2}{unit}"), &format!("at most {mark:.2}{unit}"));
    }

    /// The same where more is better.
    pub(crate) fn at_least(&mut self, what: &str, value: f64, mark: f64, unit: &str) {
        self.judge(what, value >= mark, &format!("{value:.2}{unit}"), &format!("at least {mark:.2}{unit}"));
    }

    fn judge(&mut self, what: &str, is_met: bool, value: &str, mark: &str) {
        let verdict = if is_met { "met" } else { "MISSED" };
        println!("  {what}: {value} (mark: {mark}) {verdict}");
        if !is_met {
            self.missed.push(format!("{what}: {value}"));
        }
    }
}
