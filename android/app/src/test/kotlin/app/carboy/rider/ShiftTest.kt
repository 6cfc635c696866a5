package app.carboy.rider

import androidx.work.WorkInfo
import androidx.work.WorkManager
import androidx.work.testing.WorkManagerTestInitHelper
import app.carboy.CustomerId
import app.carboy.Field
import app.carboy.Money
import app.carboy.Settlement
import app.carboy.Stop
import app.carboy.StopState
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test

/** A rider's whole day by taps alone, and what the plant's server holds of it in the evening. */
class ShiftTest : AppScenario() {
    private val stops: List<Stop> get() = core { stops(routes().single().route) }

    private fun kes(minor: Long) = write.money(Money(minor, "KES"))

    private fun name(customer: String) = write.name(customer)

    @Test
    fun `a shift from the code to the cash, with hours without a network, is right to the coin on the server`() {
        enrolByTaps()
        OtherPhone(server).use { colleague ->
            tap(R.string.start_shift)
            val owed = stops.map { it.customer.balance.minor }
            load()
            deliverFirst()
            awaitAllSent()
            loseNetwork()
            failSecond()
            changeThirdsNumber()
            deliverThirdOnAccount()
            colleague.changeNumberTwice(stops[2].customer.customer)
            sees(waiting(3), isPart = true)
            sendInBackground()
            settleNumber()
            endDay()
            awaitAllSent()
            val (first, second, third) = stops.map { it.customer.customer }
            val ledger = server.ledger()
            // The first paid what he got; the second got nothing; the third owes two bottles more.
            assertEquals(listOf(owed[0], owed[1], owed[2] + 30_000), listOf(first, second, third).map { ledger[it] ?: 0 })
            val phone = colleague.numberOf(third)
            assertEquals("0733 333 333", phone)
        }
        val day = core { day() }
        assertEquals(listOf(2L, 1L, 0L), listOf(day.deliveries, day.failures, day.cashInHand.minor))
        assertEquals(Money(45_000, "KES") to Money(45_000, "KES"), day.collected to day.handedIn)
        assertTrue(core { records(limit = 100u) }.all { it.state == Settlement.APPLIED })
    }

    private fun enrolByTaps() {
        network.wifi()
        open()
        type(R.string.enrol_server, server.address)
        type(R.string.enrol_code, server.code())
        tapLast(R.string.enrol_go)
        await("the route on the phone") { shell.rider.value != null && core { routes() }.isNotEmpty() }
    }

    private fun load() {
        val bottle = name("20 litre refill")
        tap(R.string.tab_day)
        tap(R.string.load_title)
        repeat(2) { tap(R.string.ten_more, text(R.string.full_of, bottle)) }
        tap(R.string.save)
        sees(R.string.day_cash_in_hand)
        assertEquals(20L, core { day() }.products.single { it.product.text == "20L" }.onBoard)
        tap(R.string.tab_route)
    }

    private fun count(full: Int, empties: Int) {
        val bottle = name("20 litre refill")
        repeat(full) { tap(R.string.one_more, text(R.string.full_of, bottle)) }
        repeat(empties) { tap(R.string.one_more, text(R.string.empties_of, bottle)) }
    }

    private fun deliverFirst() {
        tap(R.string.route_go)
        count(full = 3, empties = 2)
        tap(R.string.cash_this, kes(45_000))
        tap(R.string.stop_confirm_cash, kes(45_000))
        sees(R.string.receipt_saved)
        sees(core { records(limit = 1u) }.single().code, isPart = true)
    }

    private fun failSecond() {
        // Straight on from the receipt.
        tap(R.string.route_next, name(stops[1].customer.name))
        tap(R.string.stop_cannot)
        tap(R.string.fail_closed)
        tap(R.string.save)
        await("the stop marked") { stops[1].state == StopState.FAILED }
    }

    private fun changeThirdsNumber() {
        tap(R.string.route_go)
        tap(R.string.stop_customer)
        tap(R.string.customer_edit)
        type(R.string.field_phone, "0733 333 333")
        tap(R.string.save)
        sees(R.string.call, write.code("0733 333 333"))
        tap(R.string.back)
    }

    private fun deliverThirdOnAccount() {
        count(full = 2, empties = 0)
        tap(R.string.cash_none)
        tap(R.string.stop_confirm)
        sees(R.string.receipt_saved)
        tap(R.string.back)
        sees(R.string.mark_saved)
    }

    /** Twice, so that it comes after the rider's own one edit: that one is then the one which stands behind. */
    private fun OtherPhone.changeNumberTwice(customer: CustomerId) = runBlocking {
        rider.syncNow()
        listOf("0700", "0700 700 700").forEach { rider.core.updateProfile(customer, mapOf(Field.PHONE to it)) }
        assertEquals(0uL, rider.syncNow().status.pending)
    }

    private fun OtherPhone.numberOf(customer: CustomerId): String = runBlocking {
        rider.syncNow()
        rider.core.customer(customer).phone
    }

    /** The app is killed; hours later WorkManager finds a network, and then the rider looks again. */
    private fun sendInBackground() {
        val kept = kill()
        val manager = WorkManager.getInstance(application)
        val job = manager.getWorkInfosForUniqueWork("carboy.send-soon").get().single()
        assertEquals(WorkInfo.State.ENQUEUED, job.state)
        application.onCreate()
        network.mobile()
        awaitSignedIn()
        checkNotNull(WorkManagerTestInitHelper.getTestDriver(application)).setAllConstraintsMet(job.id)
        val done = runBlocking { withTimeout(30_000) { manager.getWorkInfoByIdFlow(job.id).first { it!!.state.isFinished } } }
        assertEquals(WorkInfo.State.SUCCEEDED, done?.state)
        assertEquals(0uL, core { status() }.pending)
        shell.close()
        restore(kept)
        sees(R.string.mark_settled)
    }

    private fun settleNumber() {
        tap(write.many(R.plurals.attention_count, 1))
        sees(name("0700 700 700"))
        tap(R.string.attention_keep_mine)
        sees(R.string.attention_none)
        tap(R.string.back)
    }

    private fun endDay() {
        tap(R.string.tab_day)
        tap(R.string.return_title)
        repeat(15) { tap(R.string.one_more, text(R.string.full_of, name("20 litre refill"))) }
        repeat(2) { tap(R.string.one_more, text(R.string.empties_of, name("20 litre refill"))) }
        tap(R.string.save)
        tap(R.string.hand_in_title)
        tap(R.string.cash_everything, kes(45_000))
        tap(R.string.cash_save, kes(45_000))
        await("the cash handed in") { core { day() }.cashInHand.minor == 0L }
        tap(R.string.finish_shift)
        sees(R.string.finish_ask)
        tapLast(R.string.finish_shift)
        await("the shift finished") { core { day() }.shift?.finishedAt != null }
    }

    private fun awaitAllSent() = await("everything sent") { core { status() }.let { it.pending == 0uL && it.attention == 0uL } }
}
