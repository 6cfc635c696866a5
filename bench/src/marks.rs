//! What is measured: every figure beside its mark, printed at once and collected for the results.

use crate::probe::Probe;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What one benchmark found.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Measured {
    pub(crate) benchmark: String,
    /// Whether fewer rounds and a tenth of the records were taken.
    pub(crate) quick: bool,
    /// What the machine gave right before.
    pub(crate) probe: Probe,
    pub(crate) figures: Vec<Figure>,
    pub(crate) lines: Vec<Line>,
}

/// One number.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Figure {
    pub(crate) what: String,
    pub(crate) value: f64,
    pub(crate) unit: String,
    /// `None` for what is measured for information.
    pub(crate) mark: Option<Mark>,
    pub(crate) is_met: Option<bool>,
}

/// What a figure has to reach.
#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Mark {
    AtMost(f64),
    AtLeast(f64),
}

/// A line of one of the plots.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Line {
    pub(crate) plot: Plot,
    pub(crate) name: String,
    pub(crate) points: Vec<(f64, f64)>,
}

/// The plots that there are.
#[derive(Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Plot {
    /// How long calls take, against how many records are pending.
    Pending,
    /// What is still pending, against the time since the link came back.
    Drain,
    /// The server's throughput, against the mutations in a request.
    Batch,
}

/// Collects what the benchmarks find.
#[derive(Default)]
pub(crate) struct Marks {
    measured: Vec<Measured>,
}

impl Marks {
    /// What comes from here on is this benchmark's.
    pub(crate) fn begin(&mut self, benchmark: String, quick: bool, probe: Probe) {
        println!("{benchmark}: {probe}");
        let (figures, lines) = (Vec::new(), Vec::new());
        self.measured.push(Measured { benchmark, quick, probe, figures, lines });
    }

    /// A value that must not be above its mark.
    pub(crate) fn at_most(&mut self, what: &str, value: f64, mark: f64, unit: &str) {
        self.add(what, value, unit, Some(Mark::AtMost(mark)));
    }

    /// A value that must not be below its mark.
    pub(crate) fn at_least(&mut self, what: &str, value: f64, mark: f64, unit: &str) {
        self.add(what, value, unit, Some(Mark::AtLeast(mark)));
    }

    /// A value for information.
    pub(crate) fn note(&mut self, what: &str, value: f64, unit: &str) {
        self.add(what, value, unit, None);
    }

    /// A line of a plot.
    pub(crate) fn line(&mut self, plot: Plot, name: &str, points: impl IntoIterator<Item = (f64, f64)>) {
        let points = points.into_iter().map(|(x, y)| (rounded(x), rounded(y))).collect();
        self.last().lines.push(Line { plot, name: name.to_owned(), points });
    }

    fn add(&mut self, what: &str, value: f64, unit: &str, mark: Option<Mark>) {
        let is_met = mark.map(|mark| mark.is_met_by(value));
        let (what, unit) = (what.to_owned(), unit.trim().to_owned());
        let figure = Figure { what, value: rounded(value), unit, mark, is_met };
        println!("  {figure}");
        self.last().figures.push(figure);
    }

    /// Figures belong to the benchmark that began last.
    fn last(&mut self) -> &mut Measured {
        self.measured.last_mut().expect("a benchmark has begun")
    }

    /// All of it, in the order in which it was found.
    pub(crate) fn measured(&self) -> &[Measured] {
        &self.measured
    }
}

impl Mark {
    fn is_met_by(self, value: f64) -> bool {
        match self {
            Self::AtMost(mark) => value <= mark,
            Self::AtLeast(mark) => value >= mark,
        }
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.what, self.value())?;
        if let Some((mark, verdict)) = self.mark().zip(self.verdict()) {
            write!(f, " (mark: {mark}) {verdict}")?;
        }
        Ok(())
    }
}

impl Figure {
    pub(crate) fn value(&self) -> String {
        with_unit(self.value, &self.unit)
    }

    pub(crate) fn mark(&self) -> Option<String> {
        Some(match self.mark? {
            Mark::AtMost(mark) => format!("≤ {}", with_unit(mark, &self.unit)),
            Mark::AtLeast(mark) => format!("≥ {}", with_unit(mark, &self.unit)),
        })
    }

    pub(crate) fn verdict(&self) -> Option<&'static str> {
        self.is_met.map(|is_met| if is_met { "met" } else { "MISSED" })
    }
}

/// Two places where they say something, and thousands apart.
fn with_unit(value: f64, unit: &str) -> String {
    let number = if value.abs() < 100.0 { format!("{value:.2}") } else { with_commas(value) };
    if unit.is_empty() { number } else { format!("{number} {unit}") }
}

fn with_commas(value: f64) -> String {
    let digits = format!("{value:.0}");
    let (sign, digits) = digits.split_at(usize::from(digits.starts_with('-')));
    let first = (digits.len() - 1) % 3 + 1;
    let mut text = format!("{sign}{}", &digits[..first]);
    for group in digits.as_bytes()[first..].chunks(3) {
        text.push(',');
        text.extend(group.iter().map(|&digit| char::from(digit)));
    }
    text
}

/// Four digits: more than any measurement repeats, and few enough to read the file.
fn rounded(value: f64) -> f64 {
    format!("{value:.3e}").parse().unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_says_whether_its_mark_is_met() {
        let mut marks = Marks::default();
        marks.begin("record".into(), true, Probe::default());
        marks.at_most("ratio", 1.151, 1.15, "");
        marks.at_least("rate", 20_000.0, 20_000.0, "/s");
        marks.note("size", 4_321.4, "bytes");
        let measured = marks.measured();
        let texts: Vec<_> = measured[0].figures.iter().map(ToString::to_string).collect();
        assert_eq!(
            texts,
            [
                "ratio: 1.15 (mark: ≤ 1.15) MISSED",
                "rate: 20,000 /s (mark: ≥ 20,000 /s) met",
                "size: 4,321 bytes"
            ]
        );
    }

    #[test]
    fn a_number_keeps_four_digits() {
        assert_eq!(
            [1.234_567, 0.0, -98_765.4, 0.000_123_46].map(rounded),
            [1.235, 0.0, -98_770.0, 0.000_123_5]
        );
    }
}
