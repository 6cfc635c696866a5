/** A keypad for cash: the system's keyboard covers half of a small screen, and its keys are small. */
package app.carboy.rider.ui

import androidx.compose.foundation.BorderStroke
import androidx.compose.foundation.layout.Arrangement
import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.Row
import androidx.compose.foundation.layout.RowScope
import androidx.compose.foundation.layout.heightIn
import androidx.compose.foundation.layout.padding
import androidx.compose.foundation.layout.size
import androidx.compose.foundation.shape.RoundedCornerShape
import androidx.compose.material3.Icon
import androidx.compose.material3.MaterialTheme
import androidx.compose.material3.Surface
import androidx.compose.material3.Text
import androidx.compose.runtime.Composable
import androidx.compose.runtime.CompositionLocalProvider
import androidx.compose.ui.Alignment
import androidx.compose.ui.Modifier
import androidx.compose.ui.platform.LocalLayoutDirection
import androidx.compose.ui.res.painterResource
import androidx.compose.ui.semantics.LiveRegionMode
import androidx.compose.ui.semantics.Role
import androidx.compose.ui.semantics.contentDescription
import androidx.compose.ui.semantics.liveRegion
import androidx.compose.ui.semantics.role
import androidx.compose.ui.semantics.semantics
import androidx.compose.ui.text.style.TextAlign
import androidx.compose.ui.unit.LayoutDirection
import androidx.compose.ui.unit.dp
import app.carboy.Money
import app.carboy.decimalsOf
import app.carboy.parse
import app.carboy.rider.R
import java.math.BigDecimal
import java.text.DecimalFormatSymbols
import java.util.Locale

/** As many digits before the decimal point as the core takes in one amount. */
private const val LONGEST = 9

/**
 * An amount on its way through the keypad.
 *
 * @property text its digits and at most one decimal point, as English writes them: fit to be kept
 * @property currency ISO 4217 code
 */
data class Typed(val text: String, val currency: String) {
    private val decimals = decimalsOf(currency)

    /** The amount; nothing while it is none, or zero. */
    val money: Money? get() = Money.parse(text, currency, Locale.ENGLISH)?.takeIf { it.minor > 0 }

    /** With one digit more, if it has room for it. */
    fun digit(digit: Int): Typed {
        val point = text.indexOf('.')
        val hasRoom = if (point < 0) text.length < LONGEST else text.length - point <= decimals
        return if (hasRoom) copy(text = if (text == "0") "$digit" else "$text$digit") else this
    }

    /** With a decimal point, if the currency has decimals and there is none yet. */
    fun point(): Typed = if (decimals == 0 || '.' in text) this else copy(text = text.ifEmpty { "0" } + ".")

    /** Without the last sign. */
    fun erase(): Typed = copy(text = text.dropLast(1))

    /** As it is shown while it is typed, with the digits of [locale]. */
    fun shown(locale: Locale): String {
        val symbols = DecimalFormatSymbols.getInstance(locale)
        return text.ifEmpty { "0" }.map { if (it == '.') symbols.decimalSeparator else symbols.zeroDigit + (it - '0') }.joinToString("")
    }

    companion object {
        /** [money] as if it had been typed. */
        fun of(money: Money): Typed {
            val plain = BigDecimal.valueOf(money.minor, decimalsOf(money.currency)).stripTrailingZeros()
            return Typed((if (plain.scale() < 0) plain.setScale(0) else plain).toPlainString(), money.currency)
        }
    }
}

/** What is typed, and the keys below it. */
@Composable
fun Keypad(typed: Typed, onType: (Typed) -> Unit) {
    val write = write()
    Column(verticalArrangement = Arrangement.spacedBy(8.dp)) {
        val shown = write.text(R.string.typed_amount, typed.shown(write.locale), typed.currency)
        Text(
            shown,
            Modifier.align(Alignment.CenterHorizontally).padding(vertical = 4.dp).semantics { liveRegion = LiveRegionMode.Polite },
            style = MaterialTheme.typography.displaySmall,
            textAlign = TextAlign.Center,
        )
        // A telephone's keys stand the same way in every language.
        CompositionLocalProvider(LocalLayoutDirection provides LayoutDirection.Ltr) {
            for (row in listOf(1..3, 4..6, 7..9)) Keys { for (digit in row) DigitKey(digit, typed, onType) }
            Keys {
                val symbols = DecimalFormatSymbols.getInstance(write.locale)
                Key(symbols.decimalSeparator.toString(), write.text(R.string.decimal_point), { onType(typed.point()) }, decimalsOf(typed.currency) > 0)
                DigitKey(0, typed, onType)
                Key(null, write.text(R.string.erase), { onType(typed.erase()) }, typed.text.isNotEmpty())
            }
        }
    }
}

@Composable
private fun Keys(keys: @Composable RowScope.() -> Unit) =
    Row(horizontalArrangement = Arrangement.spacedBy(8.dp), content = keys)

@Composable
private fun RowScope.DigitKey(digit: Int, typed: Typed, onType: (Typed) -> Unit) {
    val text = write().number(digit)
    Key(text, text, { onType(typed.digit(digit)) })
}

@Composable
private fun RowScope.Key(text: String?, description: String, onClick: () -> Unit, enabled: Boolean = true) {
    val colours = MaterialTheme.colorScheme
    Surface(
        onClick,
        Modifier.weight(1f).heightIn(min = 60.dp).semantics {
            contentDescription = description
            role = Role.Button
        },
        enabled,
        RoundedCornerShape(12.dp),
        if (enabled) colours.secondaryContainer else colours.surface,
        if (enabled) colours.onSecondaryContainer else colours.outlineVariant,
        border = BorderStroke(1.dp, colours.outlineVariant),
    ) {
        Row(Modifier.heightIn(min = 60.dp), Arrangement.Center, Alignment.CenterVertically) {
            if (text == null) Icon(painterResource(R.drawable.ic_erase), null, Modifier.size(28.dp))
            else Text(text, style = MaterialTheme.typography.headlineSmall)
        }
    }
}
