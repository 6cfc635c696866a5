//! Days as the plant's clocks count them.

use carboy_protocol::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// The date of a time.
pub(super) fn date(at: Timestamp, zone: &TimeZone) -> Date {
    // Only a server's clock ten thousand years off has no date; then it is as good as the first one.
    jiff::Timestamp::from_millisecond(at.0).map_or(Date::MIN, |at| zone.to_datetime(at).date())
}

/// When the days from `first` to `last` begin and end; `None` if there is no such time.
pub(super) fn span(first: Date, last: Date, zone: &TimeZone) -> Option<(Timestamp, Timestamp)> {
    let begin = |date: Date| {
        let begin = date.to_zoned_datetime(zone.clone()).ok()?;
        Some(Timestamp(begin.timestamp().as_millisecond()))
    };
    Some((begin(first)?, begin(last.tomorrow().ok()?)?))
}

/// When the day of a time began.
pub(super) fn begin(at: Timestamp, zone: &TimeZone) -> Timestamp {
    let today = date(at, zone);
    span(today, today, zone).map_or(at, |(begin, _)| begin)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_begins_at_the_plants_midnight_and_is_as_long_as_its_clocks_make_it() {
        let nairobi = TimeZone::get("Africa/Nairobi").unwrap();
        let at = Timestamp(1_732_395_600_000); // 21:00 in UTC: midnight in Nairobi
        assert_eq!(date(at, &nairobi).to_string(), "2024-11-24");
        assert_eq!(date(Timestamp(at.0 - 1), &nairobi).to_string(), "2024-11-23");
        assert_eq!(begin(Timestamp(at.0 + 5), &nairobi), at);
        let paris = TimeZone::get("Europe/Paris").unwrap();
        let hours = |text: &str| {
            let date = text.parse().unwrap();
            let (from, to) = span(date, date, &paris).unwrap();
            (to.0 - from.0) / 3_600_000
        };
        assert_eq!([hours("2024-03-31"), hours("2024-04-01"), hours("2024-10-27")], [23, 24, 25]);
    }
}
