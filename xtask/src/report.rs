//! What ran, how it ended and how long it took: shown as it goes, and as a table at the end.

use crate::process::stream;
use crate::tally::{Runner, Tally};
use anyhow::{Error, Result, ensure};
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

/// One part of a run.
#[derive(Default)]
pub(crate) struct Row {
    tally: Tally,
    notes: Vec<String>,
}

impl Row {
    /// Something went wrong: this part has failed, whatever its tests said.
    pub(crate) fn fail(&mut self, error: &Error) {
        println!("failed: {error:#}");
        self.tally.failed = self.tally.failed.max(1);
        self.notes.push(format!("failed: {error:#}"));
    }

    /// The part's only check could not run.
    pub(crate) fn skip(&mut self, reason: &str) {
        println!("skipped: {reason}");
        self.tally.skipped += 1;
        self.notes.push(format!("skipped: {reason}"));
    }

    /// The part's only check has run.
    pub(crate) fn check(&mut self, result: Result<()>) {
        match result {
            Ok(()) => self.tally.passed += 1,
            Err(error) => self.fail(&error),
        }
    }

    fn suite(&mut self, runner: &Runner, command: Result<Command>) -> Result<()> {
        let ended = stream(command?, runner.limit, |line| {
            self.tally += (runner.count)(line);
            self.notes.extend((runner.skip)(line).map(|test| format!("skipped: {test}")));
        });
        ended?;
        ensure!(self.tally.passed + self.tally.failed > 0, "no test ran");
        Ok(())
    }
}

/// A run, part by part.
#[derive(Default)]
pub(crate) struct Report {
    rows: Vec<(String, Row, Duration)>,
}

impl Report {
    /// Does the work of one part and notes what it tells its row, and its time.
    pub(crate) fn part<T>(&mut self, name: &str, work: impl FnOnce(&mut Row) -> T) -> T {
        println!("\n=== {name}");
        let start = Instant::now();
        let mut row = Row::default();
        let result = work(&mut row);
        self.rows.push((name.to_owned(), row, start.elapsed()));
        result
    }

    /// A part that either passes or fails; says whether it passed.
    pub(crate) fn check(&mut self, name: &str, work: impl FnOnce() -> Result<()>) -> bool {
        self.part(name, |row| {
            row.check(work());
            row.tally.failed == 0
        })
    }

    /// A part that runs tests. One that cannot run, or has no test to run, has failed.
    pub(crate) fn suite(&mut self, name: &str, runner: &Runner, command: impl FnOnce() -> Result<Command>) {
        self.part(name, |row| row.suite(runner, command()).unwrap_or_else(|error| row.fail(&error)));
    }

    /// Prints the table and the sum, and says how the process should end.
    pub(crate) fn finish(&self) -> ExitCode {
        let mut sum = Tally::default();
        println!("\n{:<44}{:>8}{:>8}{:>9}{:>9}", "", "passed", "failed", "skipped", "time");
        for (name, row, took) in &self.rows {
            let Tally { passed, failed, skipped } = row.tally;
            println!("{name:<44}{passed:>8}{failed:>8}{skipped:>9}{:>7} s", took.as_secs());
            row.notes.iter().for_each(|note| println!("  {note}"));
            sum += row.tally;
        }
        let took: Duration = self.rows.iter().map(|(_, _, took)| *took).sum();
        println!("{:<61}{:>14} s\n", "", took.as_secs());
        println!("{} passed, {} failed, {} skipped", sum.passed, sum.failed, sum.skipped);
        if sum.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tally::CARGO;

    fn suite(script: &str) -> (Tally, Vec<String>) {
        let mut report = Report::default();
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        report.suite("a suite", &CARGO, || Ok(command));
        let (_, row, _) = report.rows.remove(0);
        (row.tally, row.notes)
    }

    #[test]
    fn a_suite_whose_tests_pass_has_passed() {
        let (tally, notes) = suite("echo 'test result: ok. 3 passed; 0 failed; 0 ignored'");
        assert_eq!(tally, Tally { passed: 3, failed: 0, skipped: 0 });
        assert!(notes.is_empty(), "{notes:?}");
    }

    #[test]
    fn a_suite_that_runs_no_test_has_failed() {
        let (tally, notes) = suite("echo 'test result: ok. 0 passed; 0 failed; 2 ignored'");
        assert_eq!(tally, Tally { passed: 0, failed: 1, skipped: 2 });
        assert_eq!(notes, ["failed: no test ran"]);
    }

    #[test]
    fn a_suite_that_dies_after_passing_tests_has_failed() {
        let (tally, _) = suite("echo 'test result: ok. 3 passed; 0 failed; 0 ignored' >&2; kill -9 $$");
        assert_eq!(tally, Tally { passed: 3, failed: 1, skipped: 0 });
    }

    #[test]
    fn failed_tests_are_counted_once_and_not_again_for_the_runners_exit_code() {
        let (tally, _) = suite("echo 'test result: FAILED. 3 passed; 2 failed; 0 ignored'; exit 101");
        assert_eq!(tally, Tally { passed: 3, failed: 2, skipped: 0 });
    }

    #[test]
    fn a_suite_that_cannot_start_has_failed_with_the_reason() {
        let mut report = Report::default();
        report.suite("a suite", &CARGO, || Err(Error::msg("no Swift on this machine")));
        let (_, row, _) = &report.rows[0];
        assert_eq!(row.notes, ["failed: no Swift on this machine"]);
        assert_eq!(row.tally.failed, 1);
    }
}
