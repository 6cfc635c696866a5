//! Amounts as people type and read them: major units with the currency's decimals, exact, without floats.

use super::text::Lang;
use carboy_protocol::{Currency, Money};
use icu_decimal::input::Decimal;

/// Reads `1,234.5` as minor units of `currency`: digits of any script that we write, a decimal point or the
/// language's own sign for it, and its group signs only between groups. Not negative.
///
/// # Errors
/// A sentence for whoever typed it.
pub(super) fn parse(lang: Lang, text: &str, currency: Currency) -> Result<i64, String> {
    let text = text.trim();
    let typed = ("text", text.into());
    let plain_text: String = text.chars().map(|c| canonical(lang, c)).collect();
    let (major, fraction) = plain_text.split_once('.').unwrap_or((&plain_text, ""));
    let decimals = currency.decimals() as usize;
    if fraction.len() > decimals || (plain_text.contains('.') && fraction.is_empty()) {
        return Err(match decimals {
            0 => lang.with("amount-no-decimals", &[typed, ("currency", currency.as_str().into())]),
            _ => lang.with("amount-too-precise", &[typed, ("decimals", decimals.into())]),
        });
    }
    let digits = without_groups(lang, major)
        .filter(|major| !major.is_empty())
        .map(|major| format!("{major}{fraction:0<decimals$}"))
        .filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))
        .ok_or_else(|| {
            let example = plain(lang, 123_456, currency);
            lang.with("amount-unreadable", &[typed.clone(), ("example", example.into())])
        })?;
    digits.parse().map_err(|_| lang.with("amount-too-large", &[typed]))
}

/// The digit, or the sign between digits, as English writes it. No sign means two things in one language.
fn canonical(lang: Lang, c: char) -> char {
    let ascii = |zero: u32| {
        let digit = u32::from(c).checked_sub(zero).filter(|digit| *digit < 10)?;
        char::from_digit(digit, 10)
    };
    // Arabic, Persian and Urdu, Hindi.
    if let Some(digit) = [0x660, 0x6f0, 0x966].into_iter().find_map(ascii) {
        return digit;
    }
    match (lang, c) {
        (_, '\u{66b}') | (Lang::Fr, ',') => '.',
        (_, '\u{66c}') | (Lang::Fr, ' ' | '\u{a0}' | '\u{202f}') => ',',
        _ => c,
    }
}

/// Takes the commas out where they stand between groups: of three digits, in Hindi also as `12,34,567`.
fn without_groups(lang: Lang, major: &str) -> Option<String> {
    let groups: Vec<&str> = major.split(',').collect();
    let fits = |inner: usize| match groups.as_slice() {
        [_] => true,
        [first, between @ .., last] => {
            (1..=inner).contains(&first.len())
                && between.iter().all(|group| group.len() == inner)
                && last.len() == 3
        }
        [] => false,
    };
    (fits(3) || (lang == Lang::Hi && fits(2))).then(|| groups.concat())
}

/// The size of an amount without sign and currency: `1,234.50`.
pub(super) fn plain(lang: Lang, minor: i64, currency: Currency) -> String {
    let decimals = -i16::try_from(currency.decimals()).unwrap_or_default();
    let mut amount = Decimal::from(minor.unsigned_abs());
    amount.multiply_pow10(decimals);
    amount.absolute.pad_end(decimals);
    lang.decimal(&amount)
}

/// An amount with sign and currency, `KES −1,234.50`, in one piece: the space does not break.
pub(super) fn signed(lang: Lang, money: Money, always: bool) -> String {
    // Arabic reads the sign first, that is from the right; the mark before it says so to the browser.
    let mark = if lang.direction() == "rtl" { "\u{61c}" } else { "" };
    let plain = plain(lang, money.minor, money.currency);
    let amount = match money.minor.signum() {
        -1 => format!("{mark}−{plain}"),
        1 if always => format!("{mark}+{plain}"),
        _ => plain,
    };
    lang.with("amount-money", &[("currency", money.currency.as_str().into()), ("amount", amount.into())])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn currency(code: &str) -> Currency {
        code.parse().unwrap()
    }

    #[test]
    fn an_amount_is_read_exactly_as_typed() {
        for (text, code, minor) in [
            ("120", "KES", 12_000),
            (" 1,234.5 ", "KES", 123_450),
            ("0.07", "KES", 7),
            ("1,000,000", "UGX", 1_000_000),
            ("1.001", "TND", 1_001),
            ("90071992547409.93", "KES", 9_007_199_254_740_993),
            ("٣", "KES", 300),
        ] {
            assert_eq!(parse(Lang::En, text, currency(code)), Ok(minor), "{text}");
        }
    }

    #[test]
    fn what_is_no_amount_is_refused_in_a_sentence_with_the_text() {
        for (text, code) in [
            ("", "KES"),
            ("abc", "KES"),
            ("-5", "KES"),
            ("1.234", "KES"),
            ("1.5", "UGX"),
            ("1.", "UGX"),
            ("12,34", "KES"),
            ("1234,567", "KES"),
            (",5", "KES"),
            ("1,5", "KES"),
            ("1e3", "KES"),
            ("+1", "KES"),
            (".5", "KES"),
            ("1 234", "KES"),
            ("1٫", "KES"),
            ("12,34,567", "KES"),
            ("92233720368547758.08", "KES"),
            ("1.+5", "KES"),
        ] {
            let error = parse(Lang::En, text, currency(code)).unwrap_err();
            assert!(error.contains(&format!("“{text}”")), "{error}");
        }
    }

    #[test]
    fn an_amount_is_read_as_its_language_writes_it_and_with_a_point_in_all() {
        for (lang, text, code, minor) in [
            (Lang::Fr, "1 234,5", "KES", Some(123_450)),
            (Lang::Fr, "1\u{202f}234\u{a0}567.89", "KES", Some(123_456_789)),
            (Lang::Fr, "1,234", "TND", Some(1_234)),
            (Lang::Fr, "1,234", "KES", None),
            (Lang::Fr, "1,234.50", "KES", None),
            (Lang::Fr, "12 34", "KES", None),
            (Lang::Sw, "1,234.5", "KES", Some(123_450)),
            (Lang::Sw, "1,5", "KES", None),
            (Lang::Hi, "12,34,567.5", "INR", Some(123_456_750)),
            (Lang::Hi, "1,234,567.5", "INR", Some(123_456_750)),
            (Lang::Hi, "१२,३४,५६७.५०", "INR", Some(123_456_750)),
            (Lang::Hi, "12,34", "INR", None),
            (Lang::Hi, "123,45,678", "INR", None),
            (Lang::Ar, "١٬٢٣٤٫٥", "EGP", Some(123_450)),
            (Lang::Ar, "1,234.5", "EGP", Some(123_450)),
            (Lang::Ar, "۱۲٫۵", "EGP", Some(1_250)),
            (Lang::Ar, "١,٥", "EGP", None),
            (Lang::Ar, "−٥", "EGP", None),
        ] {
            assert_eq!(parse(lang, text, currency(code)).ok(), minor, "{lang:?} {text}");
        }
    }

    #[test]
    fn an_amount_is_shown_as_its_language_writes_it() {
        let money = Money::new(-123_456_750, currency("KES"));
        for (lang, shown) in [
            (Lang::En, "KES −1,234,567.50"),
            (Lang::Fr, "−1 234 567,50 KES"),
            (Lang::Sw, "KES −1,234,567.50"),
            (Lang::Hi, "KES −12,34,567.50"),
            (Lang::Ar, "−١٬٢٣٤٬٥٦٧٫٥٠ KES"),
        ] {
            let spaces = ['\u{a0}', '\u{202f}'];
            let marks = ['\u{61c}', '\u{200f}', '\u{2068}', '\u{2069}'];
            assert_eq!(signed(lang, money, false).replace(spaces, " ").replace(marks, ""), shown);
        }
        assert_eq!(signed(Lang::En, Money::new(5, currency("UGX")), true), "UGX\u{a0}+5");
    }

    proptest! {
        #[test]
        fn what_is_shown_reads_back(
            minor in 0..=i64::MAX,
            code in prop::sample::select(vec!["KES", "UGX", "TND"]),
            lang in prop::sample::select(Lang::ALL.to_vec()),
        ) {
            let shown = plain(lang, minor, currency(code));
            prop_assert_eq!(parse(lang, &shown, currency(code)), Ok(minor));
        }
    }
}
