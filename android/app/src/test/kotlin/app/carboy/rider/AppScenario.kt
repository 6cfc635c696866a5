package app.carboy.rider

import android.Manifest
import android.content.Intent
import android.os.Bundle
import android.os.Looper
import android.os.Parcel
import androidx.annotation.StringRes
import androidx.compose.ui.semantics.SemanticsActions
import androidx.compose.ui.test.SemanticsMatcher
import androidx.compose.ui.test.SemanticsNodeInteraction
import androidx.compose.ui.test.hasContentDescription
import androidx.compose.ui.test.hasScrollToIndexAction
import androidx.compose.ui.test.hasSetTextAction
import androidx.compose.ui.test.hasText
import androidx.compose.ui.test.junit4.createEmptyComposeRule
import androidx.compose.ui.test.onFirst
import androidx.compose.ui.test.onLast
import androidx.compose.ui.test.performClick
import androidx.compose.ui.test.performScrollTo
import androidx.compose.ui.test.performScrollToNode
import androidx.compose.ui.test.performSemanticsAction
import androidx.compose.ui.text.AnnotatedString
import androidx.core.content.FileProvider
import app.carboy.Carboy
import app.carboy.Money
import app.carboy.Rider
import app.carboy.rider.ui.Write
import app.carboy.shell.CarboyShell
import app.carboy.shell.Session
import app.carboy.testing.PhoneTest
import java.io.File
import java.time.Duration
import java.time.ZoneId
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import org.junit.After
import org.junit.Before
import org.junit.Rule
import org.junit.rules.ExternalResource
import org.robolectric.Robolectric
import org.robolectric.Shadows.shadowOf
import org.robolectric.android.controller.ActivityController
import org.robolectric.util.ReflectionHelpers

/** How long a test waits for what has to come. */
private const val PATIENCE_MILLIS = 30_000L

/** A phone with the app, seen and tapped as a rider does; the real core behind it. */
abstract class AppScenario : PhoneTest<RiderApp>() {
    /**
     * The main thread is left with nothing to do: what Compose has posted to it would be thrown away with this phone, and
     * it would wait for that in the next one.
     */
    @get:Rule(order = 0)
    val drained = object : ExternalResource() {
        override fun after() = shadowOf(Looper.getMainLooper()).idleFor(Duration.ofSeconds(1))
    }

    @get:Rule(order = 1)
    val compose = createEmptyComposeRule()

    protected val shell: CarboyShell get() = application.shell
    private var window: ActivityController<MainActivity>? = null

    protected val activity: MainActivity get() = checkNotNull(window) { "the app is not open" }.get()
    protected val write: Write get() = Write(activity.resources, ZoneId.systemDefault())
    protected val rider: Rider get() = checkNotNull(shell.rider.value) { "nobody is signed in" }

    @Before
    fun prepare() {
        shadowOf(application).grantPermissions(Manifest.permission.POST_NOTIFICATIONS)
        // It remembers the folders of the test before, which was another phone.
        ReflectionHelpers.getStaticField<MutableMap<*, *>>(FileProvider::class.java, "sCache").clear()
    }

    @After
    fun close() {
        window?.let { if (!it.get().isDestroyed) it.pause().stop().destroy() }
        shell.close()
    }

    /** The rider opens the app. */
    protected fun open(how: Intent? = null) {
        window = Robolectric.buildActivity(MainActivity::class.java, how).setup()
    }

    /** The phone is turned, or its settings change: the system makes the window anew. */
    protected fun recreate() {
        window = checkNotNull(window).recreate()
    }

    /** The app goes to the background, with what it wants to be kept. */
    private fun leave(): Bundle {
        val kept = Bundle()
        checkNotNull(window).pause().stop().saveInstanceState(kept).destroy()
        return kept
    }

    /** The system kills the app in the background. Only what went through a parcel is left, and the phone's storage. */
    protected fun kill(): Bundle {
        val kept = parcelled(leave())
        window = null
        shell.close()
        return kept
    }

    /** The process begins again, with the window as it was. */
    protected fun restore(kept: Bundle) {
        application.onCreate()
        network.registered()
        // Silence counts as no network once it has lasted.
        shadowOf(Looper.getMainLooper()).idleFor(Duration.ofSeconds(2))
        awaitSession { it != Session.Loading }
        val again = Robolectric.buildActivity(MainActivity::class.java)
        window = again.create(kept).start().restoreInstanceState(kept).postCreate(kept).resume().visible()
    }

    private fun parcelled(bundle: Bundle): Bundle {
        val parcel = Parcel.obtain()
        parcel.writeBundle(bundle)
        val bytes = parcel.marshall()
        parcel.recycle()
        val read = Parcel.obtain()
        read.unmarshall(bytes, 0, bytes.size)
        read.setDataPosition(0)
        return checkNotNull(read.readBundle(MainActivity::class.java.classLoader))
    }

    /** The phone is enrolled and has the plant's customers, as if the rider had worked with it before. */
    protected fun enrolled(address: String = server.address) {
        network.wifi()
        runBlocking { withTimeout(PATIENCE_MILLIS) { shell.enrol(address, server.code()).syncNow() } }
        idle()
    }

    /** The rider's store is open. */
    protected fun awaitSignedIn() = awaitSession { it is Session.SignedIn }

    private fun awaitSession(condition: (Session) -> Boolean) {
        runBlocking { withTimeout(PATIENCE_MILLIS) { shell.session.first(condition) } }
        idle()
    }

    protected fun loseNetwork() {
        network.gone(network.wifi())
        idle()
    }

    /** The server refuses one payment. */
    protected fun refusedPayment() =
        refused("1234567", "1234999") { collectCash(customers(limit = 1u).single().customer, Money(1_234_567, "KES")) }

    /** The server refuses one record: somebody has edited the phone's file, [old] in it, and its hash chain tells. */
    protected fun refused(old: String, new: String, record: Carboy.() -> Unit) {
        val account = (shell.session.value as Session.SignedIn).identity.account
        rider.core.networkChanged(false)
        core(record)
        shell.close()
        edit(File(application.noBackupFilesDir, "carboy/accounts/$account.db"), old, new)
        application.onCreate()
        network.wifi()
        awaitSignedIn()
        runBlocking { withTimeout(PATIENCE_MILLIS) { rider.syncNow() } }
        check(core { status() }.attention == 1uL) { "nothing was refused" }
    }

    private fun edit(file: File, old: String, new: String) {
        // Closing takes the log into it, once the last call under way is done.
        await("$old in $file") { old in file.readText(Charsets.ISO_8859_1) }
        // What is left of the log would hide the edit.
        listOf("-wal", "-shm").forEach { File(file.path + it).delete() }
        file.writeText(file.readText(Charsets.ISO_8859_1).replace(old, new), Charsets.ISO_8859_1)
    }

    /** Waits for what the core or the server has to do. */
    protected fun await(what: String, condition: () -> Boolean) = compose.waitUntil(what, PATIENCE_MILLIS) {
        idle()
        condition()
    }

    protected fun <T> core(query: Carboy.() -> T): T = rider.core.query()

    /** A text as the rider reads it. */
    protected fun text(@StringRes id: Int, vararg values: String) = write.text(id, *values)

    /** What the strip says first of so many that wait; then comes for how long, which depends on the machine. */
    protected fun waiting(number: Long) = write.many(R.plurals.waiting_short, number, "|").substringBefore("|")

    private fun isThere(matcher: SemanticsMatcher) = compose.onAllNodes(matcher).fetchSemanticsNodes().isNotEmpty()

    /** Whether the screen shows it now, where it is scrolled to. */
    protected fun isOnScreen(@StringRes id: Int) = isThere(hasText(text(id)))

    /** Waits until the screen shows it, further down too. */
    protected fun sees(text: String, isPart: Boolean = false): SemanticsNodeInteraction {
        val matcher = hasText(text, substring = isPart).or(hasContentDescription(text, substring = isPart))
        await("\"$text\" on the screen") { isThere(matcher) || scrollsTo(matcher) }
        return compose.onAllNodes(matcher).onFirst()
    }

    protected fun sees(@StringRes id: Int, vararg values: String) = sees(text(id, *values))

    protected fun tap(text: String, isPart: Boolean = false) {
        sees(text, isPart).reveal().performClick()
    }

    protected fun tap(@StringRes id: Int, vararg values: String) = tap(text(id, *values))

    /** Taps the last of those that are called so: a dialog's button is behind what opened it. */
    protected fun tapLast(@StringRes id: Int) {
        val matcher = hasText(text(id))
        sees(id)
        compose.onAllNodes(matcher).onLast().performClick()
    }

    /** Types into the field with this label. */
    protected fun type(@StringRes label: Int, text: String) {
        // Set, not typed: the keyboard that a focused field asks for never comes here, and Compose waits for it.
        val field = hasContentDescription(text(label)).and(hasSetTextAction())
        await("a field ${text(label)}") { isThere(field) || scrollsTo(field) }
        compose.onNode(field).reveal().performSemanticsAction(SemanticsActions.SetText) { it(AnnotatedString(text)) }
    }

    private fun SemanticsNodeInteraction.reveal() = apply {
        try {
            performScrollTo()
        } catch (_: AssertionError) {
            // It stands where nothing scrolls.
        }
    }

    private fun scrollsTo(matcher: SemanticsMatcher): Boolean {
        if (!isThere(hasScrollToIndexAction())) return false
        return try {
            compose.onAllNodes(hasScrollToIndexAction()).onFirst().performScrollToNode(matcher)
            true
        } catch (_: AssertionError) {
            false
        }
    }
}
