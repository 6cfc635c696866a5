package app.carboy.shell

import android.util.Log
import app.carboy.LogLevel
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.shadows.ShadowLog

/** The core's log in logcat. */
@RunWith(RobolectricTestRunner::class)
class LogcatSinkTest {
    @Test
    fun `a line comes with its level and where it is from`() {
        ShadowLog.reset()
        LogLevel.entries.forEach { LogcatSink().log(it, "carboy_core::drainer", "sending") }
        val lines = ShadowLog.getLogsForTag("carboy")
        assertEquals(listOf(Log.ERROR, Log.WARN, Log.INFO, Log.DEBUG, Log.VERBOSE), lines.map { it.type })
        assertEquals(setOf("carboy_core::drainer: sending"), lines.map { it.msg }.toSet())
    }

    @Test
    fun `a line longer than logcat's is cut between two characters, and says so`() {
        assertEquals("short", cut("short"))
        val fits = "x".repeat(LONGEST_LINE)
        assertEquals(fits, cut(fits))
        for (character in listOf("x", "é", "م", "हि", "🚚")) {
            for (shift in 0..4) {
                val line = "-".repeat(shift) + character.repeat(LONGEST_LINE + 1)
                val kept = cut(line)
                val bytes = kept.encodeToByteArray().size
                assertTrue("$character: $bytes", bytes in LONGEST_LINE - 3..LONGEST_LINE)
                assertTrue(kept.endsWith("…") && line.startsWith(kept.dropLast(1)))
            }
        }
    }
}
