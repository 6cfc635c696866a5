package app.carboy.shell

import org.junit.Assert.assertEquals
import org.junit.Assert.assertNull
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner

/** What a camera may read and a browser may open. */
@RunWith(RobolectricTestRunner::class)
class EnrolLinkTest {
    @Test
    fun `the dashboard's link gives the server and the code`() {
        val expected = EnrolLink("https://plant.example:8443", "7Q4K-2MXD")
        val link = "carboy://enrol?server=https%3A%2F%2Fplant.example%3A8443&code=7Q4K-2MXD"
        assertEquals(expected, EnrolLink.parse(link))
        assertEquals(expected, EnrolLink.parse("  ${link.replace("carboy://enrol", "CARBOY://Enrol")}\n"))
        assertEquals(expected, EnrolLink.parse("carboy://enrol?code=7Q4K-2MXD&server=https://plant.example:8443/&x=1"))
    }

    @Test
    fun `a server in a folder, or known by a number, stays as it is written`() {
        val link = "carboy://enrol?server=http%3A%2F%2F192.168.1.7%3A8080%2Fa%20b&code=c"
        assertEquals(EnrolLink("http://192.168.1.7:8080/a b", "c"), EnrolLink.parse(link))
    }

    @Test
    fun `anything else is no link`() {
        val junk = listOf(
            "", " ", "carboy", "carboy:", "carboy:enrol", "carboy://", "carboy://enrol", "carboy:enrol?server=a&code=b",
            "carboy://enrol?", "carboy://enrol?server=https%3A%2F%2Fa.example", "carboy://enrol?code=7Q4K",
            "carboy://enrol?server=&code=7Q4K", "carboy://enrol?server=https%3A%2F%2Fa.example&code=%20",
            "carboy://other?server=https%3A%2F%2Fa.example&code=7Q4K",
            "https://plant.example/?server=https%3A%2F%2Fa.example&code=7Q4K",
            "carboy://enrol?server=javascript%3Aalert(1)&code=7Q4K", "carboy://enrol?server=file%3A%2F%2F%2Fetc&code=7Q4K",
            "carboy://enrol?server=plant.example&code=7Q4K", "carboy://enrol?server=https%3A%2F%2F&code=7Q4K",
            "carboy://enrol?server=%E0%A4%A&code=%", "mailto:a@b?server=x&code=y", "\u0000\uFFFF", "WIFI:S:shop;T:WPA;P:x;;",
            "carboy://enrol?server=https%3A%2F%2Fa.example&code=" + "7".repeat(10_000),
        )
        junk.forEach { assertNull(it, EnrolLink.parse(it)) }
    }
}
