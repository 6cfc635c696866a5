package app.carboy.shell

import android.util.Log
import app.carboy.LogLevel
import app.carboy.LogSink

private const val TAG = "carboy"

/** What logcat keeps of one line, in bytes: LOGGER_ENTRY_MAX_PAYLOAD without the tag and the marks around it. */
internal const val LONGEST_LINE = 4_000

private const val CUT = "…"

/** Hands the core's log to logcat. A line that is too long is cut, because logcat would drop its end unseen. */
internal class LogcatSink : LogSink {
    override fun log(level: LogLevel, target: String, line: String) {
        Log.println(priority(level), TAG, cut("$target: $line"))
    }

    private fun priority(level: LogLevel) = when (level) {
        LogLevel.ERROR -> Log.ERROR
        LogLevel.WARN -> Log.WARN
        LogLevel.INFO -> Log.INFO
        LogLevel.DEBUG -> Log.DEBUG
        LogLevel.TRACE -> Log.VERBOSE
    }
}

/** [line], or as much of it as fits into [LONGEST_LINE] bytes, with a sign that it was longer. */
internal fun cut(line: String): String {
    val bytes = line.encodeToByteArray()
    if (bytes.size <= LONGEST_LINE) return line
    var end = LONGEST_LINE - CUT.encodeToByteArray().size
    // Not within a character: its further bytes begin with 10.
    while (bytes[end].toInt() and 0xC0 == 0x80) end--
    return bytes.decodeToString(0, end) + CUT
}
