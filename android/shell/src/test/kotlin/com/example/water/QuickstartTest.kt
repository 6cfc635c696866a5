package com.example.water

import android.content.Intent
import android.net.Uri
import android.os.Looper
import android.view.ViewGroup
import android.widget.TextView
import app.carboy.shell.ShellTest
import java.io.File
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test
import org.robolectric.Robolectric
import org.robolectric.Shadows.shadowOf
import org.robolectric.annotation.Config

/** docs/android-quickstart.md: what it shows is Water.kt, and Water.kt does what it promises. */
@Config(application = WaterApp::class)
class QuickstartTest : ShellTest() {
    private fun shown(activity: MainActivity): String {
        val content = checkNotNull(activity.findViewById<ViewGroup>(android.R.id.content))
        return (content.getChildAt(0) as TextView).text.toString()
    }

    @Test
    fun `the page shows this code and no other`() {
        val page = File("../../docs/android-quickstart.md").readText()
        val blocks = Regex("```kotlin\n(package .*?)```", RegexOption.DOT_MATCHES_ALL).findAll(page)
        val code = File("src/test/kotlin/com/example/water/Water.kt").readText()
        assertEquals(code, blocks.map { it.groupValues[1] }.joinToString("\n"))
        val lines = code.lines().count { it.isNotBlank() && !it.startsWith("import ") && !it.startsWith("package ") }
        assertTrue("$lines lines", lines <= 30)
    }

    @Test
    fun `an empty app with this code enrols and records a delivery, which reaches the server`() {
        val shell = (application as WaterApp).carboy
        shell.use {
            network.registered()
            network.wifi()
            val link = Uri.parse("carboy://enrol?server=${server.address}&code=${server.code()}")
            val activity = Robolectric.buildActivity(MainActivity::class.java, Intent(Intent.ACTION_VIEW, link)).setup().get()
            val deadline = System.nanoTime() + 60_000_000_000
            while (shown(activity).isEmpty()) {
                assertTrue("nothing was shown", System.nanoTime() < deadline)
                shadowOf(Looper.getMainLooper()).idle()
                Thread.yield()
            }
            assertTrue(shown(activity), Regex("[0-9A-Z]{4}-[0-9A-Z]{4}: .+ owes .+").matches(shown(activity)))
            val rider = shell.signedIn()
            kotlinx.coroutines.runBlocking { rider.syncNow() }
            assertEquals(0uL, rider.core.status().pending)
            assertEquals("confirm_delivery", rider.core.records(limit = 1u).single().kind)
        }
    }

    @Test
    fun `without a link it says what it needs`() {
        (application as WaterApp).carboy.use {
            val activity = Robolectric.buildActivity(MainActivity::class.java).setup().get()
            assertEquals("Open an enrolment link", shown(activity))
        }
    }
}
