package app.carboy

import java.util.Locale
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.assertThrows
import org.junit.jupiter.params.ParameterizedTest
import org.junit.jupiter.params.provider.CsvSource

/** Money as people of each language write and type it. */
class MoneyTest {
    private fun kes(minor: Long) = Money(minor, "KES")

    private fun parse(text: String, currency: String = "KES", locale: Locale = Locale.ENGLISH) =
        Money.parse(text, currency, locale)?.minor

    /** Without the marks and kinds of space that differ from one platform's data to another's. */
    private fun plain(text: String) = text.replace(Regex("[\\u200e\\u200f\\u061c]"), "").replace(Regex("[\\u00a0\\u202f]"), " ")

    @ParameterizedTest
    @CsvSource(
        delimiter = '|',
        value = [
            "en-KE | KES | 123450 | Ksh1,234.50",
            "sw-KE | KES | 123450 | Ksh 1,234.50",
            "fr-SN | XOF | 1234 | 1 234 F CFA",
            "hi-IN | INR | 123450 | ₹1,234.50",
            "ar-EG | EGP | 123450 | ١٬٢٣٤٫٥٠ ج.م.",
            "en-UG | UGX | 1234 | USh1,234",
        ],
    )
    fun `an amount is written as the language writes it`(tag: String, currency: String, minor: Long, expected: String) =
        assertEquals(expected, plain(Money(minor, currency).format(Locale.forLanguageTag(tag))))

    @Test
    fun `a currency that the platform has not heard of is written with its code`() {
        val text = Money(-12_345, "ZZZ").format(Locale.ENGLISH)
        assertEquals(listOf(true, true, true), listOf("ZZZ", "123.45", "-").map { it in text }, text)
    }

    @Test
    fun `what a person types is read with the separators and digits of the language`() {
        assertEquals(listOf(123_450L, 1_200, 50, Long.MAX_VALUE), listOf("1,234.5", "12", ".5", "92233720368547758.07").map { parse(it) })
        assertEquals(123_450L, parse("1 234,50", locale = Locale.FRANCE))
        assertEquals(123_450L, parse("١٬٢٣٤٫٥٠", locale = Locale.forLanguageTag("ar-EG")))
        assertEquals(1_234L, parse("1,234", "UGX"))
    }

    @Test
    fun `what is no amount of the currency is none`() {
        for (text in listOf("", ".", "-1", "1.234", "1,23.4", "1.2.3", "twelve", "92233720368547758.08")) assertNull(parse(text), text)
        assertNull(parse("1.5", "UGX"))
    }

    @Test
    fun `sums neither overflow nor mix currencies`() {
        assertEquals(kes(250), kes(300) + kes(100) - kes(50) * 3)
        assertEquals(kes(-1), -kes(1))
        assertThrows<ArithmeticException> { kes(Long.MAX_VALUE) + kes(1) }
        assertThrows<ArithmeticException> { kes(Long.MAX_VALUE) * 2 }
        assertThrows<IllegalArgumentException> { kes(1) + Money(1, "UGX") }
    }
}
