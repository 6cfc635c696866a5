package app.carboy.shell

import android.net.Uri

/** What the dashboard's QR code holds, `carboy://enrol?server=…&code=…`: where to enrol, and the one-time code. */
data class EnrolLink(
    /** The server's address, for example `https://plant.example`. */
    val server: String,
    /** The one-time code. */
    val code: String,
) {
    companion object {
        /** Longer than any link of ours: a QR code of something else is not looked into. */
        private const val LONGEST = 2_000

        /** The link in [text]; nothing if it is none, whatever was scanned or opened. */
        fun parse(text: String): EnrolLink? {
            val trimmed = text.trim()
            if (trimmed.length > LONGEST) return null
            val uri = Uri.parse(trimmed)
            // "carboy:enrol", which has no parameters to ask for, has no host either.
            if (!uri.scheme.equals("carboy", ignoreCase = true) || !uri.host.equals("enrol", ignoreCase = true)) return null
            val server = uri.getQueryParameter("server")?.trim()?.trimEnd('/') ?: return null
            val code = uri.getQueryParameter("code")?.trim()?.ifEmpty { null } ?: return null
            return if (isAddress(server)) EnrolLink(server, code) else null
        }

        private fun isAddress(server: String): Boolean {
            val address = Uri.parse(server)
            return address.scheme?.lowercase() in setOf("http", "https") && !address.host.isNullOrEmpty()
        }
    }
}
