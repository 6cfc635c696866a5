//! Counting tests from what the test runners print, line by line.

use std::ops::AddAssign;
use std::time::Duration;

/// How many tests ran, and how they ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Tests that ran and passed.
    pub(crate) passed: u32,
    /// Tests that ran and failed.
    pub(crate) failed: u32,
    /// Tests that did not run.
    pub(crate) skipped: u32,
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

/// One test runner's way to report.
pub(crate) struct Runner {
    /// What a line adds to the count.
    pub(crate) count: fn(&str) -> Tally,
    /// The test and the reason, where a line says why a test is skipped.
    pub(crate) skip: fn(&str) -> Option<&str>,
    /// How long a run may take, compiling included: several times what it does on two cores.
    pub(crate) limit: Duration,
}

const fn minutes(count: u64) -> Duration {
    Duration::from_secs(count * 60)
}

/// `cargo test`: one summary for each test binary. Its single lines may be torn by what tests print, so only the
/// reasons are taken from them.
pub(crate) const CARGO: Runner = Runner {
    limit: minutes(40),
    count: |line| {
        if !line.starts_with("test result: ") {
            return Tally::default();
        }
        let number = |what: &str| number_before(line, what);
        Tally { passed: number(" passed"), failed: number(" failed"), skipped: number(" ignored") }
    },
    skip: |line| line.strip_prefix("test ").filter(|rest| rest.contains(" ... ignored")),
};

/// Maven's Surefire: one line with a time for each class, and one without for them all.
pub(crate) const SUREFIRE: Runner = Runner {
    limit: minutes(15),
    count: |line| {
        if !line.contains("Tests run: ") || !line.contains("Time elapsed: ") {
            return Tally::default();
        }
        let number = |what: &str| number_after(line, what);
        let failed = number("Failures: ") + number("Errors: ");
        let skipped = number("Skipped: ");
        Tally { passed: number("Tests run: ").saturating_sub(failed + skipped), failed, skipped }
    },
    skip: |line| {
        let class = line.split(" -- in ").nth(1)?;
        (number_after(line, "Skipped: ") > 0).then_some(class)
    },
};

/// The tests of the Android modules, by `android/host/Tests.java`: one line for each test.
pub(crate) const ANDROID: Runner = Runner {
    limit: minutes(20),
    count: |line| {
        let is = |end: &str| u32::from(line.starts_with(&format!("android test {end}: ")));
        Tally { passed: is("passed"), failed: is("failed"), skipped: is("skipped") }
    },
    skip: |line| line.strip_prefix("android test skipped: "),
};

/// `swift test`, which runs XCTest's cases and then Swift Testing's.
pub(crate) const SWIFT: Runner = Runner {
    limit: minutes(20),
    count: |line| {
        let Some(end) = swift_end(line) else { return Tally::default() };
        Tally {
            passed: u32::from(end.starts_with("passed")),
            failed: u32::from(end.starts_with("failed")),
            skipped: u32::from(end.starts_with("skipped")),
        }
    },
    skip: |line| {
        let reason = line.contains(": Test skipped - ") || swift_testing(line)?.contains(" skipped");
        reason.then_some(line)
    },
};

/// How the test of this line ended, if it is a test's last line: `passed …`, `failed …` or `skipped …`.
fn swift_end(line: &str) -> Option<&str> {
    if let Some(rest) = line.strip_prefix("Test Case '") {
        return rest.split("' ").nth(1);
    }
    let rest = swift_testing(line)?;
    let ends = [" passed after ", " failed after ", " skipped.", " skipped: "];
    let at = ends.iter().filter_map(|end| rest.rfind(end)).max()?;
    Some(&rest[at + 1..])
}

/// What Swift Testing says of one test: `✔ Test name() …`, where the sign differs by system.
fn swift_testing(line: &str) -> Option<&str> {
    let (sign, rest) = line.split_once(" Test ")?;
    let of_one = !sign.contains(' ') && !rest.starts_with("run ") && !rest.starts_with("case ");
    of_one.then_some(rest)
}

fn number_before(line: &str, what: &str) -> u32 {
    let before = line.split(what).next().unwrap_or_default();
    before.rsplit(' ').next().and_then(|word| word.parse().ok()).unwrap_or(0)
}

fn number_after(line: &str, what: &str) -> u32 {
    let after = line.split(what).nth(1).unwrap_or_default();
    after.split(|c: char| !c.is_ascii_digit()).next().and_then(|word| word.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(runner: &Runner, output: &str) -> (u32, u32, u32) {
        let mut sum = Tally::default();
        output.lines().for_each(|line| sum += (runner.count)(line));
        (sum.passed, sum.failed, sum.skipped)
    }

    fn skips<'a>(runner: &Runner, output: &'a str) -> Vec<&'a str> {
        output.lines().filter_map(runner.skip).collect()
    }

    const CARGO_OUTPUT: &str = "\
running 3 tests
test clock::tests::joins_commute ... ok
test slow ... ignored, needs a PostgreSQL
test money ... FAILED
test result: FAILED. 1 passed; 1 failed; 1 ignored; 0 measured; 7 filtered out; finished in 0.01s
running 12 tests
test result: ok. 12 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.25s
";

    #[test]
    fn cargo_test_is_counted_by_each_binarys_summary() {
        assert_eq!(count(&CARGO, CARGO_OUTPUT), (13, 1, 1));
        assert_eq!(skips(&CARGO, CARGO_OUTPUT), ["slow ... ignored, needs a PostgreSQL"]);
    }

    const SUREFIRE_OUTPUT: &str = "\
[INFO] Running app.carboy.ProbeTest
[ERROR] Tests run: 5, Failures: 1, Errors: 1, Skipped: 1, Time elapsed: 0.137 s <<< FAILURE! -- in app.carboy.ProbeTest
[ERROR] app.carboy.ProbeTest.a thing -- Time elapsed: 0.079 s <<< ERROR!
[INFO] Tests run: 10, Failures: 0, Errors: 0, Skipped: 0, Time elapsed: 0.002 s -- in app.carboy.OtherTest
[INFO] Results:
[ERROR] Tests run: 15, Failures: 1, Errors: 1, Skipped: 1
";

    #[test]
    fn surefire_is_counted_by_class_and_its_total_is_not_added_again() {
        assert_eq!(count(&SUREFIRE, SUREFIRE_OUTPUT), (12, 2, 1));
        assert_eq!(skips(&SUREFIRE, SUREFIRE_OUTPUT), ["app.carboy.ProbeTest"]);
    }

    const ANDROID_OUTPUT: &str = "\
JNA: could not detach thread
android test passed: a tap records once(app.carboy.rider.StopTest) (0.18 s)
expected: two
android test failed: two are two(app.carboy.rider.StopTest) (0.01 s)
android test skipped: not today(app.carboy.rider.StopTest) (0.00 s)
";

    #[test]
    fn the_android_modules_tests_are_counted_by_test() {
        assert_eq!(count(&ANDROID, ANDROID_OUTPUT), (1, 1, 1));
        assert_eq!(skips(&ANDROID, ANDROID_OUTPUT), ["not today(app.carboy.rider.StopTest) (0.00 s)"]);
    }

    const XCTEST_OUTPUT: &str = "\
Test Suite 'X' started at 2026-11-23 09:42:11.435
Test Case 'X.testBad' started at 2026-11-23 09:42:11.435
/w/Tests/P.swift:25: error: X.testBad : XCTAssertEqual failed: (\"1\") is not equal to (\"2\") -
Test Case 'X.testBad' failed (0.001 seconds)
Test Case 'X.testGood' passed (0.101 seconds)
/w/Tests/P.swift:26: X.testSkip : Test skipped - no luck
Test Case 'X.testSkip' skipped (0.101 seconds)
Test Suite 'X' failed at 2026-11-23 09:42:11.637
\t Executed 3 tests, with 1 test skipped and 1 failure (0 unexpected) in 0.202 (0.202) seconds
";

    #[test]
    fn xctest_is_counted_by_case() {
        assert_eq!(count(&SWIFT, XCTEST_OUTPUT), (1, 1, 1));
        assert_eq!(
            skips(&SWIFT, XCTEST_OUTPUT),
            ["/w/Tests/P.swift:26: X.testSkip : Test skipped - no luck"]
        );
    }

    const SWIFT_TESTING_OUTPUT: &str = "\
◇ Test run started.
↳ Testing Library Version: 6.0.3
◇ Suite ProbeTests started.
◇ Test fails() started.
✘ Test skippedBare() skipped.
✘ Test skipped() skipped: \"needs a reason\"
✘ Test fails() recorded an issue at ProbeTests.swift:21:26: Expectation failed: 1 == 2
✘ Test fails() failed after 0.001 seconds with 1 issue.
◇ Passing 1 argument n → 1 to \"with a display name\"
✔ Test \"with a display name\" passed after 0.001 seconds.
✔ Test \"what failed after a restart is sent\" with 2 test cases passed after 0.001 seconds.
✘ Suite ProbeTests failed after 0.024 seconds with 1 issue.
✘ Test run with 5 tests failed after 0.024 seconds with 1 issue.
";

    #[test]
    fn swift_testing_is_counted_by_test_and_its_suites_and_total_are_not_added_again() {
        assert_eq!(count(&SWIFT, SWIFT_TESTING_OUTPUT), (2, 1, 2));
        assert_eq!(
            skips(&SWIFT, SWIFT_TESTING_OUTPUT),
            ["✘ Test skippedBare() skipped.", "✘ Test skipped() skipped: \"needs a reason\""]
        );
    }
}
