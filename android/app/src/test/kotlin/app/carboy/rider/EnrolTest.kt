package app.carboy.rider

import android.content.Intent
import android.net.Uri
import app.carboy.shell.Session
import org.junit.Assert.assertEquals
import org.junit.Assert.assertNull
import org.junit.Test

/** Signing in and out, by taps. */
class EnrolTest : AppScenario() {
    private fun typeCode(code: String) {
        type(R.string.enrol_server, server.address)
        type(R.string.enrol_code, code)
        tapLast(R.string.enrol_go)
    }

    @Test
    fun `a wrong code says what to do, and the right one leads to the route`() {
        network.wifi()
        open()
        typeCode("WRONG-CODE")
        sees(R.string.problem_wrong_code)
        typeCode(server.code())
        sees(R.string.route_title)
    }

    @Test
    fun `a link from outside is shown before anything is sent to its server`() {
        network.wifi()
        val link = Uri.parse("carboy://enrol").buildUpon()
            .appendQueryParameter("server", server.address).appendQueryParameter("code", server.code()).build()
        open(Intent(Intent.ACTION_VIEW, link, application, MainActivity::class.java))
        sees(server.address)
        idle()
        assertEquals(Session.SignedOut, shell.session.value)
        tapLast(R.string.enrol_go)
        sees(R.string.route_title)
    }

    @Test
    fun `something that is no code of ours says so`() {
        open(Intent(Intent.ACTION_VIEW, Uri.parse("https://example.org"), application, MainActivity::class.java))
        sees(R.string.enrol_no_link)
    }

    @Test
    fun `signing out with unsent work asks what is to become of it, and keeps it`() {
        enrolled()
        loseNetwork()
        core { startShift(routes().single().route) }
        open()
        tap(R.string.tab_more)
        tap(R.string.sign_out_title)
        sees(write.many(R.plurals.sign_out_waiting, 1))
        tap(R.string.sign_out_keep)
        tapLast(R.string.sign_out_title)
        sees(R.string.enrol_intro)
        assertNull(shell.rider.value)
    }
}
