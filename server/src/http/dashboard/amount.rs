//! Amounts as people type and read them: major units with the currency's decimals, exact, without floats.

use carboy_protocol::{Currency, Money};

/// Reads `1,234.5` as minor units of `currency`: digits, a point, commas only between thousands. Not negative.
///
/// # Errors
/// A sentence for whoever typed it.
pub(super) fn parse(text: &str, currency: Currency) -> Result<i64, String> {
    let text = text.trim();
    let (major, fraction) = text.split_once('.').unwrap_or((text, ""));
    let decimals = currency.decimals() as usize;
    if fraction.len() > decimals || (text.contains('.') && fraction.is_empty()) {
        return Err(match decimals {
            0 => format!("“{text}”: {currency} has no decimals."),
            _ => format!("“{text}”: write at most {decimals} digits behind the point."),
        });
    }
    let digits = without_commas(major)
        .filter(|major| !major.is_empty())
        .map(|major| format!("{major}{fraction:0<decimals$}"))
        .filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))
        .ok_or_else(|| format!("“{text}” is not an amount. Write it like {}.", plain(123_456, currency)))?;
    digits.parse().map_err(|_| format!("“{text}” is too large."))
}

/// Takes the commas out where they stand between groups of three digits.
fn without_commas(major: &str) -> Option<String> {
    let mut groups = major.split(',');
    let first = groups.next()?;
    let is_grouped = first.len() <= 3 && !first.is_empty();
    let fits = groups.all(|group| is_grouped && group.len() == 3);
    fits.then(|| major.replace(',', ""))
}

/// The size of an amount without sign and currency: `1,234.50`.
pub(super) fn plain(minor: i64, currency: Currency) -> String {
    let (decimals, abs) = (currency.decimals(), minor.unsigned_abs());
    let unit = 10u64.pow(decimals);
    let major = (abs / unit).to_string();
    let mut text = String::new();
    for (place, digit) in major.char_indices() {
        if place > 0 && (major.len() - place) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    if decimals > 0 {
        text.push_str(&format!(".{:0width$}", abs % unit, width = decimals as usize));
    }
    text
}

/// An amount with sign and currency, `KES −1,234.50`, in one piece: the space does not break.
pub(super) fn signed(money: Money, always: bool) -> String {
    let sign = match money.minor.signum() {
        -1 => "−",
        1 if always => "+",
        _ => "",
    };
    format!("{}\u{a0}{sign}{}", money.currency, plain(money.minor, money.currency))
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
        ] {
            assert_eq!(parse(text, currency(code)), Ok(minor), "{text}");
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
            ("٣", "KES"),
            ("92233720368547758.08", "KES"),
            ("1.+5", "KES"),
        ] {
            let error = parse(text, currency(code)).unwrap_err();
            assert!(error.contains(&format!("“{text}”")), "{error}");
        }
    }

    proptest! {
        #[test]
        fn what_is_shown_reads_back(minor in 0..=i64::MAX, code in prop::sample::select(vec!["KES", "UGX", "TND"])) {
            prop_assert_eq!(parse(&plain(minor, currency(code)), currency(code)), Ok(minor));
        }
    }
}
