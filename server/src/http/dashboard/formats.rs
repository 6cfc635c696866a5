//! Numbers and times as each language writes them.

use super::text::Lang;
use carboy_protocol::Timestamp;
use icu_datetime::DateTimeFormatter;
use icu_datetime::fieldsets::YMDT;
use icu_datetime::input::{Date, DateTime, Time};
use icu_datetime::options::TimePrecision;
use icu_decimal::DecimalFormatter;
use icu_decimal::input::Decimal;
use icu_locale_core::{Locale, locale};
use jiff::tz::TimeZone;
use std::sync::LazyLock;

/// What writes a language's numbers and times. The data is compiled in and holds every language of ours.
struct Formats {
    decimal: Option<DecimalFormatter>,
    time: Option<DateTimeFormatter<YMDT>>,
}

static FORMATS: LazyLock<[Formats; Lang::ALL.len()]> = LazyLock::new(|| {
    Lang::ALL.map(|lang| {
        let locale = lang.locale();
        let time = YMDT::medium().with_time_precision(TimePrecision::Minute);
        Formats {
            decimal: DecimalFormatter::try_new((&locale).into(), Default::default()).ok(),
            time: DateTimeFormatter::try_new((&locale).into(), time).ok(),
        }
    })
});

impl Lang {
    /// The customs followed where a language has several: days before months, and in Arabic its own digits.
    fn locale(self) -> Locale {
        match self {
            Self::En => locale!("en-GB"),
            Self::Fr => locale!("fr"),
            Self::Sw => locale!("sw"),
            Self::Hi => locale!("hi"),
            Self::Ar => locale!("ar-EG"),
        }
    }

    /// A count, with the language's digits and groups.
    pub(crate) fn number(self, number: u64) -> String {
        self.decimal(&number.into())
    }

    pub(crate) fn decimal(self, number: &Decimal) -> String {
        let formats = &FORMATS[self as usize];
        formats
            .decimal
            .as_ref()
            .map_or_else(|| number.to_string(), |decimal| decimal.format(number).to_string())
    }

    /// A time as the clocks of `zone` show it; `None` for what is no date, as a wrong clock may say.
    pub(crate) fn time(self, at: Timestamp, zone: &TimeZone) -> Option<String> {
        let local = zone.to_datetime(jiff::Timestamp::from_millisecond(at.0).ok()?);
        let number = |part: i8| u8::try_from(part).ok();
        let (month, day) = (number(local.month())?, number(local.day())?);
        let date = Date::try_new_iso(local.year().into(), month, day).ok()?;
        let time = Time::try_new(number(local.hour())?, number(local.minute())?, 0, 0).ok()?;
        let formatter = FORMATS[self as usize].time.as_ref()?;
        Some(formatter.format(&DateTime { date, time }).to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_that_of_the_plants_clocks_in_the_languages_order() {
        let at = Timestamp(1_732_350_000_000);
        let nairobi = TimeZone::get("Africa/Nairobi").unwrap();
        for (lang, shown) in [
            (Lang::En, "23 Nov 2024, 11:20"),
            (Lang::Fr, "23 nov. 2024, 11:20"),
            (Lang::Sw, "23 Nov 2024, 11:20"),
            (Lang::Hi, "23 नव॰ 2024, 11:20 am"),
            (Lang::Ar, "٢٣‏/١١‏/٢٠٢٤، ١١:٢٠ ص"),
        ] {
            let text = lang.time(at, &nairobi).unwrap();
            assert_eq!(text.replace(['\u{a0}', '\u{202f}'], " "), shown, "{lang:?}");
        }
        assert_eq!(Lang::En.time(at, &TimeZone::UTC).unwrap(), "23 Nov 2024, 08:20");
        assert_eq!(Lang::En.time(Timestamp(i64::MAX), &nairobi), None);
    }

    #[test]
    fn a_count_has_the_languages_digits_and_groups() {
        let shown = Lang::ALL.map(|lang| lang.number(1_234_567).replace('\u{202f}', " "));
        assert_eq!(shown, ["1,234,567", "1 234 567", "1,234,567", "12,34,567", "١٬٢٣٤٬٥٦٧"]);
    }
}
