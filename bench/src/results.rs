//! The results as they are kept: a file of all figures, and the same as a table for people.

use crate::marks::Measured;
use crate::plots;
use anyhow::{Context, Result};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

/// Where results are kept.
pub(crate) struct Place {
    /// The file of all figures.
    pub(crate) file: PathBuf,
    /// The folder of the table and the plots.
    pub(crate) folder: PathBuf,
}

impl Place {
    /// A full run's are kept with the project, and its plots with the documentation. A quick run's say less.
    pub(crate) fn of(given: Option<PathBuf>, quick: bool) -> Self {
        let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        match given {
            None if !quick => Self {
                file: repository.join("bench/results.json"),
                folder: repository.join("docs/performance"),
            },
            given => {
                let file = given.unwrap_or_else(|| repository.join("target/bench/results.json"));
                let folder = file.parent().map(Path::to_owned).unwrap_or_default();
                Self { file, folder }
            }
        }
    }

    /// Keeps what was measured: in the place of what the same benchmarks found before, with the others untouched.
    pub(crate) fn keep(&self, measured: &[Measured]) -> Result<()> {
        let mut all = self.kept()?;
        for new in measured {
            match all.iter_mut().find(|old| old.benchmark == new.benchmark) {
                Some(old) => *old = new.clone(),
                None => all.push(new.clone()),
            }
        }
        for folder in [self.file.parent(), Some(&*self.folder)].into_iter().flatten() {
            fs::create_dir_all(folder)?;
        }
        let failed = || format!("cannot write the results to {}", self.file.display());
        fs::write(&self.file, serde_json::to_string_pretty(&all)? + "\n").with_context(failed)?;
        fs::write(self.folder.join("figures.md"), table(&all)?)?;
        plots::draw(&all, &self.folder)
    }

    fn kept(&self) -> Result<Vec<Measured>> {
        match fs::read(&self.file) {
            Ok(json) => serde_json::from_slice(&json)
                .with_context(|| format!("{} holds no results", self.file.display())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(error).with_context(|| format!("cannot read {}", self.file.display())),
        }
    }
}

/// All figures, as a table of Markdown that can be read as it is.
pub(crate) fn table(all: &[Measured]) -> Result<String> {
    let mut rows = vec![["benchmark", "figure", "measured", "mark", ""].map(str::to_owned)];
    for Measured { benchmark, figures, .. } in all {
        for (n, figure) in figures.iter().enumerate() {
            let name = if n == 0 { format!("`{benchmark}`") } else { String::new() };
            let [mark, verdict] =
                [figure.mark(), figure.verdict().map(str::to_owned)].map(Option::unwrap_or_default);
            rows.push([name, figure.what.clone(), figure.value(), mark, verdict]);
        }
    }
    let mut text = String::from("# Figures of the last run\n\nWritten by `cargo xtask bench`.\n\n");
    write_rows(&mut text, &rows)?;
    let mut rows = vec![["benchmark", "the machine right before", ""].map(str::to_owned)];
    for Measured { benchmark, probe, quick, .. } in all {
        rows.push([
            format!("`{benchmark}`"),
            probe.to_string(),
            if *quick { "quick" } else { "" }.to_owned(),
        ]);
    }
    text.push('\n');
    write_rows(&mut text, &rows)?;
    Ok(text)
}

fn write_rows<const N: usize>(text: &mut String, rows: &[[String; N]]) -> Result<()> {
    let widths: [usize; N] =
        std::array::from_fn(|column| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0));
    for (n, row) in rows.iter().enumerate() {
        for (cell, width) in row.iter().zip(widths) {
            write!(text, "| {cell:width$} ")?;
        }
        text.push_str("|\n");
        if n == 0 {
            for width in widths {
                write!(text, "|{}", "-".repeat(width + 2))?;
            }
            text.push_str("|\n");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::marks::Marks;
    use crate::probe::Probe;

    fn measured(benchmark: &str, value: f64) -> Marks {
        let mut marks = Marks::default();
        marks.begin(benchmark.into(), false, Probe::default());
        marks.at_most("ratio", value, 1.1, "");
        marks
    }

    #[test]
    fn a_run_takes_the_place_of_its_own_benchmarks_alone() {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::of(Some(folder.path().join("kept/results.json")), false);
        place.keep(measured("record", 1.5).measured()).unwrap();
        place.keep(measured("pending", 1.0).measured()).unwrap();
        place.keep(measured("record", 1.05).measured()).unwrap();
        let text = fs::read_to_string(folder.path().join("kept/figures.md")).unwrap();
        assert!(text.contains("| `record`  | ratio  | 1.05     | ≤ 1.10 | met |"), "{text}");
        assert!(text.contains("| `pending` | ratio  | 1.00     | ≤ 1.10 | met |"), "{text}");
        assert!(!text.contains("1.50"), "{text}");
    }

    #[test]
    fn a_file_that_holds_something_else_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("results.json");
        fs::write(&file, "my thesis").unwrap();
        let error =
            Place::of(Some(file.clone()), false).keep(measured("record", 1.0).measured()).unwrap_err();
        assert!(error.to_string().contains("holds no results"), "{error}");
        assert_eq!(fs::read_to_string(file).unwrap(), "my thesis");
    }
}
