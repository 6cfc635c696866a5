/** Numbers, amounts, times and spans of time as the screen's language writes them. */
package app.carboy.rider.ui

import android.content.res.Resources
import androidx.annotation.PluralsRes
import androidx.annotation.StringRes
import androidx.compose.runtime.Composable
import androidx.compose.runtime.ReadOnlyComposable
import androidx.compose.runtime.remember
import androidx.compose.ui.platform.LocalConfiguration
import androidx.compose.ui.platform.LocalContext
import androidx.compose.ui.platform.LocalLayoutDirection
import androidx.compose.ui.unit.LayoutDirection
import app.carboy.Money
import app.carboy.format
import app.carboy.rider.R
import app.carboy.unaryMinus
import java.text.NumberFormat
import java.time.Duration
import java.time.Instant
import java.time.ZoneId
import java.time.format.DateTimeFormatter
import java.time.format.DecimalStyle
import java.time.format.FormatStyle
import java.util.Locale

/** Begins and ends a piece of text whose direction is its own: a phone number in Arabic, a name in Latin letters. */
private const val FIRST_STRONG_ISOLATE = '\u2068'
private const val LEFT_TO_RIGHT_ISOLATE = '\u2066'
private const val POP_ISOLATE = '\u2069'

/** Writes in one language, for a screen and for what is shared from it. */
class Write(val resources: Resources, private val zone: ZoneId = ZoneId.systemDefault()) {
    val locale: Locale = resources.configuration.locales[0]
    private val integers = NumberFormat.getIntegerInstance(locale)
    private val moments = formatter(DateTimeFormatter.ofLocalizedDateTime(FormatStyle.MEDIUM, FormatStyle.SHORT))
    private val times = formatter(DateTimeFormatter.ofLocalizedTime(FormatStyle.SHORT))

    private fun formatter(of: DateTimeFormatter) =
        of.withLocale(locale).withDecimalStyle(DecimalStyle.of(locale)).withZone(zone)

    /** A text; every argument is text itself, written by this. */
    fun text(@StringRes id: Int, vararg values: String): String = resources.getString(id, *values)

    /** A text about so many; its first argument is the number. */
    fun many(@PluralsRes id: Int, number: Long, vararg values: String): String {
        val quantity = number.coerceIn(0, Int.MAX_VALUE.toLong()).toInt()
        return resources.getQuantityString(id, quantity, number(number), *values)
    }

    fun number(number: Long): String = integers.format(number)

    fun number(number: Int): String = number(number.toLong())

    fun money(money: Money): String = money.format(locale)

    /** With a sign in any case, for a line of a ledger. */
    fun signed(money: Money): String = if (money.minor > 0) text(R.string.amount_plus, money(money)) else money(money)

    /** Day and time. */
    fun moment(at: Instant): String = moments.format(at)

    /** The time of a day. */
    fun time(at: Instant): String = times.format(at)

    /** How long, to two places: `2 h 03 min`. */
    fun span(span: Duration): String {
        val (days, hours, minutes) = Triple(span.toDays(), span.toHours() % 24, span.toMinutes() % 60)
        return when {
            days > 0 -> text(R.string.span_days, number(days), number(hours))
            hours > 0 -> text(R.string.span_hours, number(hours), twoDigits(minutes))
            else -> text(R.string.span_minutes, number(minutes))
        }
    }

    private fun twoDigits(number: Long): String =
        NumberFormat.getIntegerInstance(locale).apply { minimumIntegerDigits = 2 }.format(number)

    /** A name within a sentence of another direction. */
    fun name(name: String): String = "$FIRST_STRONG_ISOLATE$name$POP_ISOLATE"

    /** Digits and letters that are read from left to right everywhere: a telephone number, a receipt's code. */
    fun code(code: String): String = "$LEFT_TO_RIGHT_ISOLATE$code$POP_ISOLATE"
}

/** Writes in the language of this screen. */
@Composable
fun write(): Write {
    val context = LocalContext.current
    val configuration = LocalConfiguration.current
    return remember(context, configuration) { Write(context.resources) }
}

/** Whether this screen reads from right to left. */
@Composable
@ReadOnlyComposable
fun isRightToLeft() = LocalLayoutDirection.current == LayoutDirection.Rtl

/** What a customer owes, or has paid in advance. */
fun Write.balance(balance: Money): String = when {
    balance.minor > 0 -> text(R.string.balance_owes, money(balance))
    balance.minor < 0 -> text(R.string.balance_credit, money(-balance))
    else -> text(R.string.balance_none)
}
