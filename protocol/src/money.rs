//! Money: integer minor units with a currency. Never a float, never a register.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Why an amount could not be computed or read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// Two amounts of different currencies met.
    #[error("currencies differ: {left} and {right}")]
    CurrencyMismatch {
        /// The currency of the left amount.
        left: Currency,
        /// The currency of the right amount.
        right: Currency,
    },
    /// The result does not fit 64 bits of minor units.
    #[error("amount out of range: {left} and {right} minor units")]
    Overflow {
        /// Minor units of the left operand.
        left: i64,
        /// Minor units (or the factor) of the right operand.
        right: i64,
    },
    /// A currency code is not three capital letters.
    #[error("not a currency code: {0:?}")]
    InvalidCurrency(String),
}

/// An ISO 4217 code: three capital ASCII letters, for example `KES`.
///
/// ```
/// use carboy_protocol::Currency;
/// assert_eq!("UGX".parse::<Currency>()?.decimals(), 0);
/// assert!("shillings".parse::<Currency>().is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(value_type = String, pattern = "^[A-Z]{3}$", example = "KES"))]
pub struct Currency([u8; 3]);

impl Currency {
    /// The code as text.
    pub fn as_str(&self) -> &str {
        // Only capital ASCII letters get in.
        std::str::from_utf8(&self.0).unwrap_or("???")
    }

    /// How many digits of the minor unit stand behind the decimal point (ISO 4217): 2 for most, 0 for example
    /// for `UGX`, 3 for example for `TND`.
    pub fn decimals(&self) -> u32 {
        match self.as_str() {
            "BIF" | "CLP" | "DJF" | "GNF" | "ISK" | "JPY" | "KMF" | "KRW" | "PYG" | "RWF" | "UGX" | "UYI"
            | "VND" | "VUV" | "XAF" | "XOF" | "XPF" => 0,
            "BHD" | "IQD" | "JOD" | "KWD" | "LYD" | "OMR" | "TND" => 3,
            _ => 2,
        }
    }
}

impl TryFrom<String> for Currency {
    type Error = MoneyError;

    fn try_from(text: String) -> Result<Self, MoneyError> {
        match <[u8; 3]>::try_from(text.as_bytes()) {
            Ok(code) if code.iter().all(u8::is_ascii_uppercase) => Ok(Self(code)),
            _ => Err(MoneyError::InvalidCurrency(text)),
        }
    }
}

impl FromStr for Currency {
    type Err = MoneyError;

    fn from_str(text: &str) -> Result<Self, MoneyError> {
        Self::try_from(text.to_owned())
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> Self {
        currency.as_str().to_owned()
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An amount in the minor unit of its currency (cents), signed.
///
/// ```
/// use carboy_protocol::{Currency, Money};
/// let kes: Currency = "KES".parse()?;
/// let owed = Money::new(12_000, kes).plus(Money::new(-3_000, kes))?;
/// assert_eq!(owed.to_string(), "KES 90.00");
/// # Ok::<(), carboy_protocol::MoneyError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Money {
    /// Signed minor units: cents for most currencies.
    pub minor: i64,
    /// The currency; amounts of different currencies never mix.
    pub currency: Currency,
}

impl Money {
    /// `minor` units of `currency`.
    pub const fn new(minor: i64, currency: Currency) -> Self {
        Self { minor, currency }
    }

    /// The sum.
    ///
    /// # Errors
    /// [`MoneyError::CurrencyMismatch`] or [`MoneyError::Overflow`].
    ///
    /// ```
    /// use carboy_protocol::{Money, MoneyError};
    /// let (kes, ugx) = (Money::new(1, "KES".parse()?), Money::new(1, "UGX".parse()?));
    /// assert!(matches!(kes.plus(ugx), Err(MoneyError::CurrencyMismatch { .. })));
    /// # Ok::<(), MoneyError>(())
    /// ```
    pub fn plus(self, other: Self) -> Result<Self, MoneyError> {
        self.combine(other, i64::checked_add)
    }

    /// The difference.
    ///
    /// # Errors
    /// [`MoneyError::CurrencyMismatch`] or [`MoneyError::Overflow`].
    pub fn minus(self, other: Self) -> Result<Self, MoneyError> {
        self.combine(other, i64::checked_sub)
    }

    fn combine(self, other: Self, op: fn(i64, i64) -> Option<i64>) -> Result<Self, MoneyError> {
        if self.currency != other.currency {
            return Err(MoneyError::CurrencyMismatch { left: self.currency, right: other.currency });
        }
        let minor = op(self.minor, other.minor)
            .ok_or(MoneyError::Overflow { left: self.minor, right: other.minor })?;
        Ok(Self { minor, ..self })
    }
}

/// Plain text for logs and receipts: `KES 1234.50`, `UGX -500`. A screen formats by locale instead.
impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let decimals = self.currency.decimals();
        let unit = 10u64.pow(decimals);
        let (sign, abs) = (if self.minor < 0 { "-" } else { "" }, self.minor.unsigned_abs());
        write!(f, "{} {sign}{}", self.currency, abs / unit)?;
        if decimals > 0 {
            write!(f, ".{:0width$}", abs % unit, width = decimals as usize)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn money(minor: i64, currency: &str) -> Money {
        Money::new(minor, currency.parse().unwrap())
    }

    #[test]
    fn amounts_of_different_currencies_never_mix() {
        let error = money(1, "KES").plus(money(1, "UGX")).unwrap_err();
        assert_eq!(error.to_string(), "currencies differ: KES and UGX");
    }

    #[test]
    fn a_sum_that_does_not_fit_is_an_error_not_a_wrap() {
        assert!(matches!(money(i64::MAX, "KES").plus(money(1, "KES")), Err(MoneyError::Overflow { .. })));
        assert!(matches!(money(i64::MIN, "KES").minus(money(1, "KES")), Err(MoneyError::Overflow { .. })));
    }

    #[test]
    fn an_amount_prints_with_the_decimals_of_its_currency() {
        let texts =
            [(-5, "KES"), (0, "KES"), (123_456, "KES"), (-500, "UGX"), (1_234, "TND"), (i64::MIN, "KES")]
                .map(|(minor, currency)| money(minor, currency).to_string());
        let expected =
            ["KES -0.05", "KES 0.00", "KES 1234.56", "UGX -500", "TND 1.234", "KES -92233720368547758.08"];
        assert_eq!(texts, expected);
    }

    #[test]
    fn a_currency_is_three_capital_letters() {
        for text in ["", "kes", "KE", "KESH", "K€"] {
            assert_eq!(text.parse::<Currency>(), Err(MoneyError::InvalidCurrency(text.into())));
        }
    }

    #[test]
    fn a_currency_reads_back_from_its_text_and_prints_as_its_code() {
        let kes: Currency = "KES".parse().unwrap();
        assert_eq!(serde_json::to_string(&kes).unwrap(), r#""KES""#);
        assert_eq!((format!("{kes:?}"), String::from(kes)), ("KES".to_owned(), "KES".to_owned()));
    }
}
