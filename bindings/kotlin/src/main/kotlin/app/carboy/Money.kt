/** Money on a screen and from a keypad, and sums that never overflow unseen. */
package app.carboy

import java.math.BigDecimal
import java.text.DecimalFormat
import java.text.DecimalFormatSymbols
import java.text.NumberFormat
import java.util.Currency
import java.util.Locale

/** How many digits of the minor unit stand behind the decimal point: 2 for most, 0 for example for `UGX`, 3 for `TND`. */
val Money.decimals: Int get() = decimalsOf(currency)

/** The same for a currency's ISO 4217 code. The table is the core's: a platform's own may differ, and with it the amount. */
fun decimalsOf(currency: String): Int = when (currency) {
    "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF",
    "XPF",
    -> 0
    "BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND" -> 3
    else -> 2
}

/** The amount with its currency as people of `locale` write it, for example `Ksh1,234.50`. */
fun Money.format(locale: Locale = Locale.getDefault()): String {
    val format = NumberFormat.getCurrencyInstance(locale)
    try {
        format.currency = Currency.getInstance(currency)
    } catch (_: IllegalArgumentException) {
        // A plant may use a code that the platform has not heard of: the code itself is shown.
        (format as? DecimalFormat)?.showCurrencyAs(currency)
    }
    format.minimumFractionDigits = decimals
    format.maximumFractionDigits = decimals
    return format.format(BigDecimal.valueOf(minor, decimals))
}

private fun DecimalFormat.showCurrencyAs(code: String) {
    decimalFormatSymbols = decimalFormatSymbols.apply { currencySymbol = code }
}

/**
 * The amount that a person typed, with the separators and digits of `locale`; a full stop always counts as the decimal
 * point where it does not separate thousands. Null for what is no amount of this currency: a sign, a group or a decimal
 * too many, letters, nothing at all, or more than fits.
 */
fun Money.Companion.parse(text: String, currency: String, locale: Locale = Locale.getDefault()): Money? {
    val symbols = DecimalFormatSymbols.getInstance(locale)
    val plain = text.filterNot { it.isWhitespace() || Character.getType(it) == Character.FORMAT.toInt() }
        .map { canonical(it, symbols) }
        .joinToString("")
    if (!AMOUNT.matches(plain)) return null
    val value = plain.replace(",", "").toBigDecimal().movePointRight(decimalsOf(currency)).stripTrailingZeros()
    if (value.scale() > 0 || value > Long.MAX_VALUE.toBigDecimal()) return null
    return Money(value.toLong(), currency)
}

/** Groups of two or three digits (India writes 1,00,000), the last of three. */
private val AMOUNT = Regex("""(\d+|\d{1,3}(,\d{2,3})*,\d{3})(\.\d*)?|\.\d+""")

/** `char` as it stands in English, and a space for what has no place in an amount. */
private fun canonical(char: Char, symbols: DecimalFormatSymbols): Char = when {
    char.isDigit() -> '0' + Character.digit(char, 10)
    char == symbols.groupingSeparator -> ','
    char == symbols.decimalSeparator || char == symbols.monetaryDecimalSeparator || char == '.' -> '.'
    else -> ' '
}

/**
 * The sum.
 *
 * @throws IllegalArgumentException if the currencies differ
 * @throws ArithmeticException if it does not fit 64 bits of minor units
 */
operator fun Money.plus(other: Money): Money = Money(Math.addExact(minor, same(other)), currency)

/** The difference; fails as [plus]. */
operator fun Money.minus(other: Money): Money = Money(Math.subtractExact(minor, same(other)), currency)

/** So many times the amount; fails as [plus]. */
operator fun Money.times(count: Int): Money = Money(Math.multiplyExact(minor, count.toLong()), currency)

/** The amount with the other sign; fails as [plus]. */
operator fun Money.unaryMinus(): Money = Money(Math.negateExact(minor), currency)

private fun Money.same(other: Money): Long {
    require(currency == other.currency) { "currencies differ: $currency and ${other.currency}" }
    return other.minor
}
