//! A recorded link's capacity over time: how many bytes pass between two moments, and when a byte has passed.

use crate::clock::Ms;

const ROW_MS: Ms = 100;

/// Answers are exact up to this time, 13 years: even the fattest row (`u32::MAX` bytes) repeated so long fits in 64 bits.
pub const MAX_MS: Ms = ROW_MS << 32;

/// One direction of a link. Within a row of 100 ms its bytes pass evenly; after its last row it starts over.
#[derive(Clone, Debug)]
pub struct Trace {
    /// Bytes passed before each row's start, and in the end before the end of the last row.
    before: Vec<u64>,
}

/// Why a text is not a trace.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TraceError {
    /// Not two whole numbers.
    #[error("line {line}: expected `milliseconds,bytes`, found {found:?}")]
    Malformed {
        /// Counted from 1.
        line: usize,
        /// The whole line.
        found: String,
    },
    /// Not 100 ms after the row before it.
    #[error("line {line}: expected the row at {expected} ms, found the one at {found} ms")]
    OutOfStep {
        /// Counted from 1.
        line: usize,
        /// Where the row had to start, in ms.
        expected: Ms,
        /// Where it starts, in ms.
        found: Ms,
    },
    /// A link that carries nothing would keep a sender waiting for ever.
    #[error("none of the {rows} rows carries a byte")]
    Dead {
        /// How many rows there are.
        rows: usize,
    },
}

impl Trace {
    /// Reads rows of `milliseconds,bytes`, one per 100 ms from 0 on; lines starting with `#` are skipped.
    ///
    /// # Errors
    /// Names the first line that is not such a row, or says that no row carries a byte.
    pub fn parse(text: &str) -> Result<Self, TraceError> {
        let mut before = vec![0];
        let mut total = 0;
        let mut expected = 0;
        for (line, row) in (1..).zip(text.lines()).filter(|(_, row)| !row.starts_with('#')) {
            let (start, bytes) =
                parse_row(row).ok_or_else(|| TraceError::Malformed { line, found: row.to_owned() })?;
            if start != expected {
                return Err(TraceError::OutOfStep { line, expected, found: start });
            }
            expected += ROW_MS;
            total += u64::from(bytes);
            before.push(total);
        }
        if total == 0 { Err(TraceError::Dead { rows: before.len() - 1 }) } else { Ok(Self { before }) }
    }

    /// The recorded 3G uplink of a phone in a moving car: 15½ minutes, 118 kB/s on average.
    #[must_use]
    pub fn umts_up() -> Self {
        Self::parse(include_str!("../traces/umts-3g-driving-up.csv"))
            .expect("compiled in, and parsed by a test of this file")
    }

    /// The downlink recorded at the same time: 15½ minutes, 252 kB/s on average.
    #[must_use]
    pub fn umts_down() -> Self {
        Self::parse(include_str!("../traces/umts-3g-driving-down.csv"))
            .expect("compiled in, and parsed by a test of this file")
    }

    /// How many bytes can pass from `from` until `to` (0 when `to` is not after `from`).
    ///
    /// # Panics
    /// When a time is beyond [`MAX_MS`].
    #[must_use]
    pub fn capacity_between(&self, from: Ms, to: Ms) -> u64 {
        self.passed_by(to).saturating_sub(self.passed_by(from))
    }

    /// When the last of `bytes` leaves, if the first may leave from `from` on and nothing else is sent.
    ///
    /// # Panics
    /// When a time is beyond [`MAX_MS`].
    #[must_use]
    pub fn last_byte_at(&self, from: Ms, bytes: u64) -> Ms {
        self.passed_at(self.passed_by(from) + bytes).max(from)
    }

    /// How many bytes can pass from 0 until `at`.
    pub(crate) fn passed_by(&self, at: Ms) -> u64 {
        assert!(at <= MAX_MS, "{at} ms is beyond a trace's last moment, {MAX_MS} ms");
        let (lap, in_lap) = (at / self.period(), at % self.period());
        // A row is 0 ..= period / 100, far within any usize.
        #[allow(clippy::cast_possible_truncation)]
        let row = (in_lap / ROW_MS) as usize;
        let in_row = self.row_bytes(row) * (in_lap % ROW_MS) / ROW_MS;
        lap * self.lap_bytes() + self.before[row] + in_row
    }

    /// The first moment by which `bytes` can have passed since 0.
    pub(crate) fn passed_at(&self, bytes: u64) -> Ms {
        if bytes == 0 {
            return 0;
        }
        let lap = (bytes - 1) / self.lap_bytes();
        assert!(lap <= MAX_MS / self.period(), "byte {bytes} passes only after {MAX_MS} ms");
        let in_lap = bytes - lap * self.lap_bytes();
        let row = self.before.partition_point(|&before| before < in_lap) - 1;
        let in_row = ((in_lap - self.before[row]) * ROW_MS).div_ceil(self.row_bytes(row));
        lap * self.period() + row as Ms * ROW_MS + in_row
    }

    fn period(&self) -> Ms {
        (self.before.len() - 1) as Ms * ROW_MS
    }

    fn lap_bytes(&self) -> u64 {
        self.before[self.before.len() - 1]
    }

    fn row_bytes(&self, row: usize) -> u64 {
        self.before[row + 1] - self.before[row]
    }
}

fn parse_row(row: &str) -> Option<(Ms, u32)> {
    let (start, bytes) = row.split_once(',')?;
    Some((start.parse().ok()?, bytes.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn trace(rows: &[u32]) -> Trace {
        let text: String =
            (0..).step_by(100).zip(rows).map(|(ms, bytes)| format!("{ms},{bytes}\n")).collect();
        Trace::parse(&text).unwrap()
    }

    /// The moment at which each byte leaves, one after the other: each ms earns a row's hundredth part.
    fn departures(rows: &[u32]) -> impl Iterator<Item = Ms> {
        let rows = rows.to_vec();
        let mut credit = 0;
        (0..).flat_map(move |ms: Ms| {
            credit += rows[usize::try_from(ms / ROW_MS).unwrap() % rows.len()];
            let bytes = credit / 100;
            credit %= 100;
            (0..bytes).map(move |_| ms + 1)
        })
    }

    fn live_rows() -> impl Strategy<Value = Vec<u32>> {
        prop::collection::vec(prop_oneof![Just(0), 0..10_u32, 0..900_u32], 1..6)
            .prop_filter("a dead trace", |rows| rows.iter().any(|&bytes| bytes > 0))
    }

    proptest! {
        #[test]
        fn bytes_pass_as_if_counted_one_by_one(rows in live_rows(), from in 0..1500_u64, span in 0..1500_u64, bytes in 1..300_usize) {
            let trace = trace(&rows);
            let to = from + span;
            let naive = departures(&rows).skip_while(|&ms| ms <= from).take_while(|&ms| ms <= to).count();
            prop_assert_eq!(trace.capacity_between(from, to), naive as u64);
            let last = departures(&rows).filter(|&ms| ms > from).nth(bytes - 1).unwrap();
            prop_assert_eq!(trace.last_byte_at(from, bytes as u64), last);
            prop_assert_eq!(trace.last_byte_at(from, 0), from);
        }

        #[test]
        fn ten_years_of_repeating_shift_nothing(rows in live_rows(), from in 0..1500_u64, bytes in 0..300_u64, laps in 0..500_000_000_u64) {
            let trace = trace(&rows);
            let later = laps * trace.period();
            prop_assert_eq!(trace.last_byte_at(from + later, bytes), trace.last_byte_at(from, bytes) + later);
            prop_assert_eq!(trace.capacity_between(from, from + later), laps * trace.lap_bytes());
        }
    }

    #[test]
    fn the_recorded_traces_are_whole() {
        let (up, down) = (Trace::umts_up(), Trace::umts_down());
        assert_eq!((up.period(), up.lap_bytes()), (931_300, 109_795_500));
        assert_eq!((down.period(), down.lap_bytes()), (928_500, 234_393_000));
        assert_eq!(up.last_byte_at(0, 1), 601, "the recording starts with 600 dead ms");
    }

    #[test]
    fn a_bad_line_is_named_with_what_it_says() {
        let message = |text| Trace::parse(text).unwrap_err().to_string();
        assert_eq!(message("# ms\n0,1\n100;2"), "line 3: expected `milliseconds,bytes`, found \"100;2\"");
        assert_eq!(message("0,-1"), "line 1: expected `milliseconds,bytes`, found \"0,-1\"");
        assert_eq!(message("0,1\n200,2"), "line 2: expected the row at 100 ms, found the one at 200 ms");
        assert_eq!(message("0,0\n100,0"), "none of the 2 rows carries a byte");
        assert_eq!(message(""), "none of the 0 rows carries a byte");
    }
}
