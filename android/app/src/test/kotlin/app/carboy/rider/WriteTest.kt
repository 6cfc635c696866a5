package app.carboy.rider

import android.content.Context
import android.content.res.Configuration
import androidx.test.core.app.ApplicationProvider
import app.carboy.Money
import app.carboy.rider.ui.Typed
import app.carboy.rider.ui.Write
import java.time.Duration
import java.util.Locale
import org.junit.Assert.assertEquals
import org.junit.Assert.assertNull
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner

/** Numbers, spans and plurals as each language writes them, and amounts on their way through the keypad. */
@RunWith(RobolectricTestRunner::class)
class WriteTest {
    private fun write(language: String): Write {
        val context = ApplicationProvider.getApplicationContext<Context>()
        val configuration = Configuration().apply { setLocale(Locale.forLanguageTag(language)) }
        return Write(context.createConfigurationContext(configuration).resources)
    }

    private fun Write.waiting(number: Long, span: Duration) = many(R.plurals.waiting, number, span(span))

    @Test
    fun `twelve are waiting, the oldest for two hours and three minutes`() {
        val span = Duration.ofMinutes(123)
        assertEquals("12 waiting, oldest 2 h 03 min, all safe on this phone", write("en").waiting(12, span))
        assertEquals("12 en attente, le plus ancien depuis 2 h 03 min, tous en sécurité sur ce téléphone", write("fr").waiting(12, span))
        assertEquals("١٢ سجلًا في الانتظار، أقدمها منذ ٢ س ٠٣ د، كلها محفوظة على هذا الهاتف", write("ar-EG").waiting(12, span))
        assertEquals("٣ سجلات في الانتظار، أقدمها منذ ٤ د، كلها محفوظة على هذا الهاتف", write("ar-EG").waiting(3, Duration.ofMinutes(4)))
        assertEquals("1 d 2 h", write("en").span(Duration.ofHours(26)))
    }

    @Test
    fun `an amount is typed digit by digit, with as many decimals as its currency has`() {
        fun typed(keys: String, currency: String) = keys.fold(Typed("", currency)) { typed, key ->
            when (key) {
                '.' -> typed.point()
                '<' -> typed.erase()
                else -> typed.digit(key - '0')
            }
        }
        assertEquals(Money(12_550, "KES"), typed("125.509", "KES").money)
        assertEquals(Money(50, "KES"), typed(".5", "KES").money)
        assertEquals(Money(12, "UGX"), typed("1.2", "UGX").money)
        assertEquals(Money(1_000, "KES"), typed("105<<0", "KES").money)
        assertEquals("999999999", typed("9999999999999", "KES").text)
        assertNull(typed("0", "KES").money)
        assertNull(typed("", "KES").money)
        assertEquals("150", Typed.of(Money(15_000, "KES")).text)
        assertEquals("150.5", Typed.of(Money(15_050, "KES")).text)
        assertEquals("١٢٫٥", typed("12.5", "KES").shown(Locale.forLanguageTag("ar-EG")))
    }
}
