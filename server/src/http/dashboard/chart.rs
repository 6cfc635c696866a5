//! Bar charts, drawn on the server: lengths in parts of the page's width, so that the writing keeps its size on a
//! phone. What they show stands beside them as text too.

use super::text::Lang;
use maud::{Markup, html};

/// Bars in one chart; what is beyond stands in the text only.
pub(super) const MOST_BARS: usize = 30;

/// The longest label, in characters; a longer one is cut.
const MAX_LABEL: usize = 24;

/// A bar with its label takes so many pixels of height.
const ROW: usize = 44;

/// How a part of a bar is filled. Each differs from the others without its colour too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fill {
    Full,
    Striped,
    Dotted,
    Empty,
}

/// One bar: its label, what it says in figures, and its parts from its start.
#[derive(Debug, Clone)]
pub(super) struct Bar {
    pub(super) label: String,
    pub(super) figures: String,
    pub(super) parts: Vec<(Fill, u64)>,
}

/// A chart of bars on one scale.
#[derive(Debug)]
pub(super) struct Chart<'a> {
    /// Unique within its page.
    pub(super) id: &'static str,
    pub(super) title: &'a str,
    /// What it shows, in a sentence.
    pub(super) description: &'a str,
    /// What the fills mean.
    pub(super) legend: &'a [(Fill, String)],
    pub(super) bars: &'a [Bar],
}

impl Fill {
    fn class(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Striped => "striped",
            Self::Dotted => "dotted",
            Self::Empty => "blank",
        }
    }

    /// What it is painted with: a pattern of the chart's own, or what the stylesheet says.
    fn paint(self, id: &str) -> Option<String> {
        matches!(self, Self::Striped | Self::Dotted).then(|| format!("url(#{id}-{})", self.class()))
    }
}

impl Chart<'_> {
    /// The drawing with its legend; nothing if there are no bars.
    pub(super) fn draw(&self, lang: Lang) -> Markup {
        let bars = &self.bars[..self.bars.len().min(MOST_BARS)];
        let longest = bars.iter().map(Bar::length).max().unwrap_or(0).max(1);
        let (title, text) = (format!("{}-title", self.id), format!("{}-text", self.id));
        html! {
            @if !bars.is_empty() {
                figure.chart {
                    svg role="img" aria-labelledby=(format!("{title} {text}")) width="100%" height=(bars.len() * ROW) {
                        title id=(title) { (self.title) }
                        desc id=(text) { (self.description) }
                        (patterns(self.id))
                        @for (place, bar) in bars.iter().enumerate() { (self.bar(bar, place * ROW, longest, lang)) }
                    }
                    figcaption {
                        @for (fill, meaning) in self.legend {
                            span {
                                svg aria-hidden="true" width="16" height="12" {
                                    rect class=(fill.class()) fill=[fill.paint(self.id)] x="1" y="1" width="14"
                                        height="10" {}
                                }
                                " " (meaning)
                            }
                        }
                    }
                    @if self.bars.len() > bars.len() {
                        p.muted { (lang.with("chart-cut", &[("shown", bars.len().into()), ("all", self.bars.len().into())])) }
                    }
                }
            }
        }
    }

    fn bar(&self, bar: &Bar, top: usize, longest: u64, lang: Lang) -> Markup {
        let is_mirrored = lang.direction() == "rtl";
        let (start, end) = if is_mirrored { ("100%", "0") } else { ("0", "100%") };
        let mut before = 0;
        html! {
            text x=(start) y=(top + 15) { (cut(&bar.label)) }
            text.figures x=(end) y=(top + 15) text-anchor="end" { (bar.figures) }
            @for (fill, length) in &bar.parts {
                @let from = share(before, longest);
                @let width = share(before + length, longest) - from;
                @let x = if is_mirrored { 100.0 - from - width } else { from };
                @if *length > 0 {
                    rect class=(fill.class()) fill=[fill.paint(self.id)] x=(format!("{x:.2}%")) y=(top + 21)
                        width=(format!("{width:.2}%")) height="13" {}
                }
                ({ before += length; "" })
            }
        }
    }
}

impl Bar {
    fn length(&self) -> u64 {
        self.parts.iter().map(|(_, length)| length).sum()
    }
}

/// `part` of `whole` in hundredths.
#[expect(clippy::cast_precision_loss, reason = "a length on a screen")]
fn share(part: u64, whole: u64) -> f64 {
    part as f64 * 100.0 / whole as f64
}

fn cut(label: &str) -> String {
    if label.chars().count() <= MAX_LABEL {
        return label.to_owned();
    }
    let kept: String = label.chars().take(MAX_LABEL - 1).collect();
    format!("{}…", kept.trim_end())
}

fn patterns(id: &str) -> Markup {
    html! {
        defs {
            pattern id=(format!("{id}-striped")) patternUnits="userSpaceOnUse" width="6" height="6"
                patternTransform="rotate(45)" {
                rect.ground width="6" height="6" {}
                rect.stripe width="3" height="6" {}
            }
            pattern id=(format!("{id}-dotted")) patternUnits="userSpaceOnUse" width="6" height="6" {
                rect.ground width="6" height="6" {}
                circle.dot cx="3" cy="3" r="1.5" {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(label: &str, lang: Lang) -> String {
        let parts = vec![(Fill::Full, 1), (Fill::Striped, 0), (Fill::Empty, 3)];
        let bars = [Bar { label: label.to_owned(), figures: "1 of 4".to_owned(), parts }];
        let legend = [(Fill::Full, "done".to_owned())];
        let chart = Chart { id: "c", title: "Rounds", description: "By rider", legend: &legend, bars: &bars };
        chart.draw(lang).into_string()
    }

    #[test]
    fn a_name_is_text_whatever_it_is_made_of() {
        let svg = drawn("<b onload=\"x\">&'", Lang::En);
        assert!(svg.contains("&lt;b onload=&quot;x&quot;&gt;&amp;") && !svg.contains("<b "), "{svg}");
    }

    #[test]
    fn a_part_is_as_long_as_its_share_and_stands_mirrored_where_reading_runs_from_the_right() {
        let svg = drawn("Amina", Lang::En);
        assert!(svg.contains(r#"x="0.00%" y="21" width="25.00%""#), "{svg}");
        assert!(svg.contains(r#"x="25.00%" y="21" width="75.00%""#), "{svg}");
        assert_eq!(svg.matches("height=\"13\"").count(), 2, "nothing is drawn for nothing");
        let mirrored = drawn("Amina", Lang::Ar);
        assert!(mirrored.contains(r#"x="75.00%" y="21" width="25.00%""#), "{mirrored}");
    }

    #[test]
    fn a_long_name_is_cut_between_characters() {
        let svg = drawn(&"आ".repeat(60), Lang::Hi);
        assert!(svg.contains(&format!("{}…", "आ".repeat(23))), "{svg}");
    }

    #[test]
    fn a_chart_of_many_says_how_many_it_leaves_out() {
        let bar = Bar { label: "A".into(), figures: "1".into(), parts: vec![(Fill::Full, 1)] };
        let bars = vec![bar; MOST_BARS + 5];
        let chart = Chart { id: "c", title: "t", description: "d", legend: &[], bars: &bars };
        let svg = chart.draw(Lang::En).into_string();
        assert_eq!(svg.matches("height=\"13\"").count(), MOST_BARS);
        assert!(svg.contains("30") && svg.contains("35"), "{svg}");
    }
}
