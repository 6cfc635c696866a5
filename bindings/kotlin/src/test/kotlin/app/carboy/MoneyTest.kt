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
        textBlock = """
            en-KE | KES |  123450 | Ksh 1,234.50
            fr-CI | XOF |    1234 | 1 234 F CFA
        """,
    )
    fun `an amount is written as the language writes it`(tag: String, currency: String, minor: Long, expected: String) =
        assertEquals(expected, plain(Money(minor, currency).format(Locale.forLanguageTag(tag))))

    @Test
    fun show() {
        for (tag in listOf("en", "en-KE", "en-UG", "fr", "fr-CI", "fr-TN", "sw", "sw-KE", "sw-TZ", "hi", "hi-IN", "ar", "ar-EG", "ar-TN", "ar-BH", "de")) {
            val l = Locale.forLanguageTag(tag)
            println(tag + " | " + listOf("KES", "UGX", "TND", "INR", "XOF", "ZZZ").joinToString(" | ") { Money(-12345678, it).format(l) + " " + Money(12345678, it).format(l) })
        }
    }
}
