package app.carboy.rider

import android.app.Activity
import android.content.Intent
import android.net.Uri
import androidx.compose.ui.test.assertIsDisplayed
import app.carboy.shell.Session
import com.google.zxing.client.android.Intents
import com.journeyapps.barcodescanner.CaptureActivity
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNull
import org.junit.Test
import org.robolectric.Shadows.shadowOf
import org.robolectric.shadows.ShadowActivity

/** Signing in and out, by taps. */
class EnrolTest : AppScenario() {
    private fun link(code: String): Uri = Uri.parse("carboy://enrol").buildUpon()
        .appendQueryParameter("server", server.address).appendQueryParameter("code", code).build()

    /** Taps on the scan button; how the app's scanner is asked. */
    private fun toScanner(): ShadowActivity.IntentForResult {
        tap(R.string.enrol_scan)
        val asked = shadowOf(activity).nextStartedActivityForResult
        assertEquals(CaptureActivity::class.java.name, asked.intent.component?.className)
        assertEquals("QR_CODE", asked.intent.getStringExtra(Intents.Scan.FORMATS))
        return asked
    }

    /** What the scanner answers when it has read [text]; or that the rider has left it. */
    private fun answer(asked: ShadowActivity.IntentForResult, text: String?) {
        val scanned = text?.let { Intent().putExtra(Intents.Scan.RESULT, it).putExtra(Intents.Scan.RESULT_FORMAT, "QR_CODE") }
        val code = if (text == null) Activity.RESULT_CANCELED else Activity.RESULT_OK
        shadowOf(activity).callOnActivityResult(asked.requestCode, code, scanned)
    }

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
        sees(R.string.problem_wrong_code).assertIsDisplayed()
        typeCode(server.code())
        sees(R.string.route_title)
    }

    @Test
    fun `a link from outside is shown before anything is sent to its server`() {
        network.wifi()
        open(Intent(Intent.ACTION_VIEW, link(server.code()), application, MainActivity::class.java))
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
    fun `the dashboard's QR code, scanned, leads to the route without anything typed`() {
        network.wifi()
        open()
        answer(toScanner(), link(server.code()).toString())
        sees(R.string.route_title)
        assertEquals(server.address, (shell.session.value as Session.SignedIn).identity.server)
    }

    @Test
    fun `an app that is killed behind the scanner still enrols with what was scanned`() {
        network.wifi()
        open()
        val asked = toScanner()
        restore(kill())
        answer(asked, link(server.code()).toString())
        sees(R.string.route_title)
    }

    @Test
    fun `a QR code that was used says what to do, and the next one leads to the route`() {
        network.wifi()
        open()
        val used = server.code()
        OtherPhone(server, used).close()
        answer(toScanner(), link(used).toString())
        sees(R.string.problem_wrong_code)
        answer(toScanner(), link(server.code()).toString())
        sees(R.string.route_title)
    }

    @Test
    fun `a scan of something else says so until the rider goes on`() {
        network.wifi()
        open()
        val page = "https://plant.example/enrol?server=https%3A%2F%2Fplant.example&code=7KQ2-M9XD"
        for (other in listOf("WIFI:T:WPA;S:Workshop;P:secret;;", page)) {
            answer(toScanner(), other)
            sees(R.string.enrol_no_link).assertIsDisplayed()
            type(R.string.enrol_server, other)
            await("the message gone") { !isOnScreen(R.string.enrol_no_link) }
        }
        answer(toScanner(), link(server.code()).toString())
        sees(R.string.route_title)
    }

    @Test
    fun `a scanner that is left changes nothing, and what was typed is still there`() {
        network.wifi()
        open()
        type(R.string.enrol_server, server.address)
        type(R.string.enrol_code, server.code())
        answer(toScanner(), null)
        idle()
        assertFalse(isOnScreen(R.string.enrol_no_link))
        assertEquals(Session.SignedOut, shell.session.value)
        tapLast(R.string.enrol_go)
        sees(R.string.route_title)
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
