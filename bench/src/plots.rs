//! The plots, as SVG.

use crate::marks::{Line, Measured, Plot};
use anyhow::Result;
use plotters::prelude::*;
use std::ops::Range;
use std::path::Path;

const SIZE: (u32, u32) = (860, 440);

/// Told apart by people who see colours in whatever way (Okabe and Ito, "Color Universal Design", 2008).
const COLOURS: [RGBColor; 6] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(86, 180, 233),
    RGBColor(230, 159, 0),
];

/// What a plot looks like.
struct Look {
    plot: Plot,
    file: &'static str,
    title: &'static str,
    x: &'static str,
    y: &'static str,
    /// Whether each step to the right is ten times as much; nothing at all then stands where 1 does.
    is_tenfold: bool,
    /// Where the lines leave room for their names.
    legend: SeriesLabelPosition,
    /// How far the axis goes on above the lines, against their height.
    above: f64,
}

const LOOKS: [Look; 3] = [
    Look {
        plot: Plot::Pending,
        file: "pending.svg",
        title: "What a call takes, against the records pending",
        x: "records pending",
        y: "median, µs",
        is_tenfold: true,
        legend: SeriesLabelPosition::UpperLeft,
        above: 0.6,
    },
    Look {
        plot: Plot::Drain,
        file: "drain.svg",
        title: "Draining 20,000 records over the recorded 3G link",
        x: "seconds since the link came back",
        y: "records pending",
        is_tenfold: false,
        legend: SeriesLabelPosition::UpperRight,
        above: 0.05,
    },
    Look {
        plot: Plot::Batch,
        file: "batch.svg",
        title: "The server's throughput, against the mutations in a request",
        x: "mutations in a request",
        y: "mutations per second",
        is_tenfold: true,
        legend: SeriesLabelPosition::UpperLeft,
        above: 0.05,
    },
];

/// Draws every plot that there are lines for.
pub(crate) fn draw(all: &[Measured], folder: &Path) -> Result<()> {
    for look in &LOOKS {
        let lines = all.iter().flat_map(|measured| &measured.lines).filter(|line| line.plot == look.plot);
        let lines: Vec<_> = lines.collect();
        if !lines.is_empty() {
            look.draw(&lines, &folder.join(look.file))?;
        }
    }
    Ok(())
}

impl Look {
    fn draw(&self, lines: &[&Line], file: &Path) -> Result<()> {
        let root = SVGBackend::new(file, SIZE).into_drawing_area();
        root.fill(&WHITE)?;
        let points = || lines.iter().flat_map(|line| &line.points).map(|&point| self.placed(point));
        let mut chart = ChartBuilder::on(&root)
            .caption(self.title, ("sans-serif", 18))
            .margin(12)
            // Half of the last label stands there.
            .margin_right(30)
            .x_label_area_size(44)
            .y_label_area_size(70)
            .build_cartesian_2d(
                range(points().map(|point| point.0)),
                range(points().map(|point| point.1 * (1.0 + self.above))),
            )?;
        let label =
            |x: &f64| if self.is_tenfold { format!("{:.0}", 10_f64.powf(*x)) } else { format!("{x}") };
        let mut mesh = chart.configure_mesh();
        if self.is_tenfold {
            mesh.x_labels(8).disable_x_mesh();
        }
        mesh.x_desc(self.x)
            .y_desc(self.y)
            .x_label_formatter(&label)
            .y_label_formatter(&|y| format!("{y}"))
            .light_line_style(TRANSPARENT)
            .draw()?;
        for (line, &colour) in lines.iter().zip(COLOURS.iter().cycle()) {
            let points = line.points.iter().map(|&point| self.placed(point));
            chart
                .draw_series(LineSeries::new(points, colour.stroke_width(2)).point_size(3))?
                .label(&line.name)
                .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], colour.stroke_width(2)));
        }
        chart
            .configure_series_labels()
            .position(self.legend.clone())
            .background_style(WHITE.mix(0.8))
            .border_style(BLACK.mix(0.3))
            .draw()?;
        root.present()?;
        Ok(())
    }

    fn placed(&self, (x, y): (f64, f64)) -> (f64, f64) {
        if self.is_tenfold { (x.max(1.0).log10(), y) } else { (x, y) }
    }
}

/// From nothing to the greatest.
fn range(values: impl Iterator<Item = f64>) -> Range<f64> {
    0.0..values.fold(f64::MIN_POSITIVE, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::marks::Marks;
    use crate::probe::Probe;

    #[test]
    fn each_plot_with_lines_becomes_a_file_with_their_names() {
        let mut marks = Marks::default();
        marks.begin("pending".into(), false, Probe::default());
        marks.line(Plot::Pending, "delivery", [(0.0, 120.0), (1e6, 125.0)]);
        let folder = tempfile::tempdir().unwrap();
        draw(marks.measured(), folder.path()).unwrap();
        let svg = std::fs::read_to_string(folder.path().join("pending.svg")).unwrap();
        assert!(svg.starts_with("<svg") && svg.contains("delivery"), "{svg}");
        assert!(!folder.path().join("drain.svg").exists());
    }
}
