package app.carboy

import java.util.concurrent.CountDownLatch
import java.util.concurrent.atomic.AtomicInteger
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.cancel
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.supervisorScope
import kotlinx.coroutines.withTimeout
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.assertThrows
import java.time.Duration

/** Calls that are cancelled, and calls that meet a rider who is being closed. */
class CallsTest : ServerTest() {
    private val window = Duration.ofSeconds(10)

    /** A token provider that says when it is asked, and answers when it may. */
    private class Gate(private val answer: String) : TokenProvider {
        val asked = CompletableDeferred<Unit>()
        val open = CompletableDeferred<Unit>()

        override suspend fun token(refresh: Boolean): String {
            asked.complete(Unit)
            open.await()
            return answer
        }
    }

    @Test
    fun `an action that was cancelled before it began is not done`() = runBlocking<Unit> {
        withRider { rider ->
            launch {
                coroutineContext.cancel()
                rider.record { startShift() }
            }.join()
            assertEquals(0uL, rider.ask { status().pending })
        }
    }

    @Test
    fun `an action that was cancelled under way is on the phone`() = runBlocking<Unit> {
        withRider { rider ->
            val begun = CompletableDeferred<Unit>()
            val gate = CountDownLatch(1)
            var returned = false
            val tap = launch {
                rider.record {
                    begun.complete(Unit)
                    gate.await()
                    startShift()
                }
                returned = true
            }
            begun.await()
            tap.cancel()
            gate.countDown()
            tap.join()
            assertFalse(returned)
            assertEquals(1uL, rider.ask { status().pending })
            rider.core.networkChanged(true)
            assertEquals(0uL, rider.drainFor(window).status.pending)
        }
    }

    @Test
    fun `drains cancelled at any moment lose nothing and send nothing twice`() = runBlocking<Unit> {
        val (customer, owed) = withRider { rider ->
            val customer = rider.ask { anyCustomer() }
            val owed = rider.ask { customer(customer).balance.minor }
            rider.core.networkChanged(true)
            for (moment in 1..40) {
                val drain = launch(start = CoroutineStart.UNDISPATCHED) { rider.drainFor(window) }
                rider.record { collectCash(customer, kes(100)) }
                if (moment % 2 == 0) withTimeout(10_000) { rider.status.first { it.state == SyncState.Sending || it.pending == 0uL } }
                drain.cancelAndJoin()
            }
            assertEquals(0uL, rider.drainFor(window).status.pending)
            customer to owed
        }
        withRider { other ->
            assertEquals(owed - 4_000, other.ask { customer(customer).balance.minor })
            assertEquals(40, other.ask { history(customer, limit = 100u) }.count { it.amount == kes(-100) })
        }
    }

    @Test
    fun `who gives up waiting for a drain leaves the outbox whole, and a later one sends it`() = runBlocking<Unit> {
        val keys = Keys()
        val enrolment = enrolled(keys)
        val gate = Gate(enrolment.token)
        Rider.open(config(enrolment), keys, gate).use { rider ->
            rider.record { startShift() }
            val drain = launch { rider.drainFor(window) }
            gate.asked.await()
            drain.cancelAndJoin()
            assertEquals(1uL, rider.ask { status().pending })
            gate.open.complete(Unit)
            assertEquals(0uL, rider.drainFor(window).status.pending)
        }
    }

    @Test
    fun `who waits for an exchange is told when the rider is closed`() = runBlocking<Unit> {
        val keys = Keys()
        val enrolment = enrolled(keys)
        val gate = Gate(enrolment.token)
        val rider = Rider.open(config(enrolment), keys, gate)
        supervisorScope {
            val waits = async { rider.syncNow() }
            gate.asked.await()
            rider.close()
            assertThrows<RiderClosedException> { runBlocking { waits.await() } }
        }
    }

    @Test
    fun `every call on a closed rider says so, and closing twice does nothing`() = runBlocking<Unit> {
        withRider { rider ->
            rider.close()
            rider.close()
            assertThrows<RiderClosedException> { runBlocking { rider.ask { day() } } }
            assertThrows<RiderClosedException> { runBlocking { rider.record { startShift() } } }
            assertThrows<RiderClosedException> { runBlocking { rider.syncNow() } }
            assertThrows<RiderClosedException> { runBlocking { rider.drainFor(window) } }
            assertThrows<RiderClosedException> { runBlocking { rider.signOut(SignOut.IfDone) } }
        }
    }

    @Test
    fun `taps that race with closing are each on the phone or refused`() = runBlocking<Unit> {
        val keys = Keys()
        val enrolment = enrolled(keys)
        val tokens = Tokens { throw TokenException.SignedOut() }
        val recorded = AtomicInteger()
        for (round in 1..20) {
            val rider = Rider.open(config(enrolment), keys, tokens)
            assertEquals(recorded.get().toULong(), rider.status.value.pending)
            coroutineScope {
                val begun = CompletableDeferred<Unit>()
                List(8) {
                    launch(Dispatchers.IO) {
                        try {
                            while (true) {
                                rider.record { addCustomer(mapOf(Field.NAME to "Round $round")) }
                                recorded.incrementAndGet()
                                begun.complete(Unit)
                            }
                        } catch (_: RiderClosedException) {
                            // The only thing that may end it.
                        }
                    }
                }
                begun.await()
                rider.close()
            }
        }
        assertTrue(recorded.get() >= 20)
    }

    @Test
    fun `opening that is cancelled leaves nothing open`() = runBlocking<Unit> {
        val keys = Keys()
        val before = handles()
        val enrolment = enrolled(keys)
        repeat(50) {
            var opened: Rider? = null
            val opening = launch(start = CoroutineStart.UNDISPATCHED) {
                opened = Rider.open(config(enrolment), keys, Tokens { enrolment.token })
            }
            // As far as opening may get in so many turns.
            repeat(it) { launch(Dispatchers.IO) {}.join() }
            opening.cancelAndJoin()
            opened?.close()
        }
        untilNoMoreHandlesThan(before)
    }
}
