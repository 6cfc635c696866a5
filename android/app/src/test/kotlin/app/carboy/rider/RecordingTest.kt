package app.carboy.rider

import android.os.Bundle
import androidx.compose.ui.test.click
import androidx.compose.ui.test.performTouchInput
import androidx.lifecycle.SavedStateHandle
import app.carboy.Change
import app.carboy.CustomerId
import app.carboy.Money
import app.carboy.Record
import app.carboy.SyncState
import app.carboy.rider.stop.Cash
import app.carboy.rider.stop.Photos
import app.carboy.rider.stop.StopModel
import app.carboy.rider.stop.StopView
import app.carboy.shell.Session
import app.carboy.testing.TestLink
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test

/** One tap, one record, at once: whatever the rider's thumb, the network and the system do meanwhile. */
class RecordingTest : AppScenario() {
    private val customer: CustomerId get() = core { stops(routes().single().route) }.first().customer.customer
    private val deliveries: List<Record> get() = core { records(limit = 100u) }.filter { it.kind == "confirm_delivery" }
    private val payments: List<Record> get() = core { records(limit = 100u) }.filter { it.kind == "collect_cash" }

    private fun toConfirm() {
        core { startShift(routes().single().route) }
        open()
        tap(R.string.route_go)
        tap(R.string.one_more, text(R.string.full_of, write.name("20 litre refill")))
        tap(R.string.cash_this, write.money(Money(15_000, "KES")))
    }

    private fun model(kept: Bundle? = null): StopModel {
        val (rider, identity) = shell.session.value as Session.SignedIn
        val arguments = Bundle().apply { putString(ScreenModel.CUSTOMER, customer.text) }
        val handle = SavedStateHandle.createHandle(kept, arguments)
        return StopModel(Phone(shell, rider, identity), handle, Photos(application)).also { this.handle = handle }
    }

    private lateinit var handle: SavedStateHandle

    private fun StopModel.awaitView(): StopView {
        var found: StopView? = null
        CoroutineScope(Dispatchers.Main).launch { found = view.first { it != null } }
        await("the stop") { found != null }
        return checkNotNull(found)
    }

    private fun StopModel.awaitProgress(kind: Class<out Progress>): Progress {
        await("$kind") { kind.isInstance(recording.progress.value) }
        return recording.progress.value
    }

    private fun awaitRecord(count: Int) = runBlocking {
        withTimeout(30_000) { rider.watch(Change.OUTBOX) { waiting(limit = 100u).size }.first { it == count } }
    }

    @Test
    fun `a button that is tapped five times records once`() {
        enrolled()
        toConfirm()
        sees(R.string.stop_confirm_cash, write.money(Money(15_000, "KES"))).performTouchInput {
            repeat(5) {
                click()
                advanceEventTime(40)
            }
        }
        sees(R.string.receipt_saved)
        assertEquals(1 to 1, deliveries.size to payments.size)
    }

    @Test
    fun `the tap is answered while a request hangs in the network`() {
        TestLink(server.address).use { link ->
            enrolled(link.address)
            link.hold()
            toConfirm()
            link.awaitHeld()
            tap(R.string.stop_confirm_cash, write.money(Money(15_000, "KES")))
            sees(R.string.receipt_saved)
            assertEquals(SyncState.Sending, core { status() }.state)
            assertEquals(3uL, core { status() }.pending)
            link.release()
            await("everything sent") { core { status() }.pending == 0uL }
        }
        assertEquals(1 to 1, deliveries.size to payments.size)
    }

    @Test
    fun `the tap waits for no storage, and what it records needs no screen any more`() {
        enrolled()
        loseNetwork()
        val model = model()
        val view = model.awaitView()
        model.awaitProgress(Progress.Ready::class.java)
        model.countFull(view.products.first(), 2)
        model.choose(Cash.This)
        model.confirm(view)
        // From here on the main thread, which is the test's, does nothing but wait for the phone's storage.
        assertEquals(Progress.Saving, model.recording.progress.value)
        awaitRecord(2)
        assertEquals(Progress.Saving, model.recording.progress.value)
        val saved = model.awaitProgress(Progress.Saved::class.java) as Progress.Saved
        assertEquals(listOf("confirm_delivery", "collect_cash"), saved.records.map { it.kind })
    }

    @Test
    fun `a process that is killed between the tap and the answer shows the receipt, and records nothing again`() {
        enrolled()
        loseNetwork()
        val model = model()
        val view = model.awaitView()
        model.awaitProgress(Progress.Ready::class.java)
        model.countFull(view.products.first(), 2)
        model.choose(Cash.None)
        model.confirm(view)
        awaitRecord(1)
        // The screen has not heard of it yet, and this is what the system keeps.
        val kept = handle.savedStateProvider().saveState()
        val next = model(kept)
        val saved = next.awaitProgress(Progress.Saved::class.java) as Progress.Saved
        assertEquals(deliveries, saved.records)
        next.confirm(next.awaitView())
        idle()
        assertEquals(1, deliveries.size)
    }

    @Test
    fun `a process that is killed before the tap is as ready as before`() {
        enrolled()
        val model = model()
        model.awaitProgress(Progress.Ready::class.java)
        model.countFull(model.awaitView().products.first(), 2)
        model.choose(Cash.This)
        val next = model(handle.savedStateProvider().saveState())
        val view = next.awaitView()
        next.awaitProgress(Progress.Ready::class.java)
        val count = next.count.value
        assertEquals(2 to true, count.lines(view).single().delivered to count.isComplete(view))
        assertTrue(deliveries.isEmpty())
    }
}
