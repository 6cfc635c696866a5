package app.carboy

import java.util.concurrent.atomic.AtomicInteger
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.channels.ReceiveChannel
import kotlinx.coroutines.channels.Channel
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.assertThrows

/** What screens see: flows of queries, and the status. */
class WatchTest : ServerTest() {
    /** What the flow gave, in order; cancelled with the scope's children. */
    private fun <T> CoroutineScope.received(flow: Flow<T>): ReceiveChannel<T> {
        val values = Channel<T>(Channel.UNLIMITED)
        launch(Dispatchers.IO) { flow.collect { values.send(it) } }.invokeOnCompletion { values.close() }
        return values
    }

    private suspend fun <T> ReceiveChannel<T>.next() = withTimeout(10_000) { receive() }

    private suspend fun <T> ReceiveChannel<T>.until(wanted: T) {
        do { val value = next() } while (value != wanted)
    }

    @Test
    fun `a watched query answers at once, and again after each change`() = runBlocking<Unit> {
        withRider { rider ->
            val customer = rider.ask { anyCustomer() }
            val balances = received(rider.watch(Change.CUSTOMERS) { customer(customer).balance.minor })
            val owed = balances.next()
            for (collected in 1..5) {
                rider.record { collectCash(customer, kes(100)) }
                assertEquals(owed - 100L * collected, balances.next())
            }
            rider.close()
        }
    }

    @Test
    fun `a watched query is not asked again for changes of other kinds`() = runBlocking<Unit> {
        withRider { rider ->
            val customer = rider.ask { anyCustomer() }
            val asked = AtomicInteger()
            val pending = received(rider.watch(Change.OUTBOX) { status().pending })
            rider.record { collectCash(customer, kes(100)) }
            // What the first feed changed has been told before that is.
            pending.until(1u)
            val attention = received(rider.watch(Change.ATTENTION) { asked.incrementAndGet() })
            assertEquals(1, attention.next())
            for (added in 2..20) {
                rider.record { collectCash(customer, kes(100)) }
                pending.until(added.toULong())
            }
            assertEquals(1, asked.get())
            rider.core.networkChanged(true)
            assertTrue(attention.next() > 1)
            rider.close()
        }
    }

    @Test
    fun `a slow collector gets the newest and misses those between`() = runBlocking<Unit> {
        withRider { rider ->
            val customer = rider.ask { anyCustomer() }
            val begun = CompletableDeferred<Unit>()
            val gate = CompletableDeferred<Unit>()
            val seen = mutableListOf<ULong>()
            val collector = launch {
                rider.watch(Change.OUTBOX) { status().pending }.collect {
                    seen += it
                    begun.complete(Unit)
                    gate.await()
                }
            }
            begun.await()
            repeat(50) { rider.record { collectCash(customer, kes(1)) } }
            val other = received(rider.watch(Change.OUTBOX) { status().pending })
            other.until(50uL)
            rider.status.first { it.pending == 50uL }
            gate.complete(Unit)
            rider.close()
            collector.join()
            // The first, and what was newest whenever there was room for one more.
            assertTrue(seen.size <= 3 && seen.first() == 0uL, "$seen")
        }
    }

    @Test
    fun `an answer that a change left as it was does not come twice`() = runBlocking<Unit> {
        withRider { rider ->
            val customer = rider.ask { anyCustomer() }
            val names = received(rider.watch { customer(customer).name })
            val phones = received(rider.watch { customer(customer).phone })
            names.next()
            for (edit in 1..5) {
                rider.record { updateProfile(customer, mapOf(Field.PHONE to "08$edit")) }
                phones.until("08$edit")
            }
            rider.record { updateProfile(customer, mapOf(Field.NAME to "Mama Otieno")) }
            assertEquals("Mama Otieno", names.next())
            rider.close()
        }
    }

    @Test
    fun `a collector that was cancelled is asked nothing any more`() = runBlocking<Unit> {
        withRider { rider ->
            val asked = AtomicInteger()
            val collectors = List(100) {
                launch(Dispatchers.IO) { rider.watch { asked.incrementAndGet() }.collect {} }
            }
            val other = received(rider.watch { status().pending })
            rider.record { startShift() }
            other.until(1uL)
            collectors.forEach { it.cancelAndJoin() }
            val before = asked.get()
            rider.record { finishShift() }
            other.until(2uL)
            assertEquals(before, asked.get())
            rider.close()
        }
    }

    @Test
    fun `a query that fails fails its flow and no other`() = runBlocking<Unit> {
        withRider { rider ->
            val unknown = CustomerId("00000000-0000-0000-0000-000000000000")
            val other = received(rider.watch { status().pending })
            assertThrows<CarboyException.UnknownCustomer> { runBlocking { rider.watch { customer(unknown) }.first() } }
            assertEquals(0uL, other.next())
            rider.record { startShift() }
            assertEquals(1uL, other.next())
            rider.close()
        }
    }

    @Test
    fun `the status is there when the rider opens, and follows`() = runBlocking<Unit> {
        val keys = Keys()
        val enrolment = enrolled(keys)
        open(enrolment, keys).use { carboy ->
            carboy.networkChanged(false)
            carboy.startShift()
        }
        Rider.open(config(enrolment), keys, Tokens { throw TokenException.SignedOut() }).use { rider ->
            assertEquals(1uL, rider.status.value.pending)
            withTimeout(10_000) { rider.status.first { it.state == SyncState.NeedsSignIn } }
            rider.record { finishShift() }
            withTimeout(10_000) { rider.status.first { it.pending == 2uL } }
        }
    }

    @Test
    fun `flows end when the rider is closed or signed out, and begin no more`() = runBlocking<Unit> {
        withRider { rider ->
            val days = received(rider.watch { day() })
            days.next()
            rider.close()
            assertEquals(listOf<DaySummary>(), generateSequence { days.tryReceive().getOrNull() }.toList())
            assertEquals(listOf<DaySummary>(), withTimeout(10_000) { rider.watch { day() }.toList() })
        }
        withRider { rider ->
            val days = received(rider.watch { day() })
            days.next()
            assertEquals(SignedOut.Removed, rider.signOut(SignOut.IfDone))
            withTimeout(10_000) { for (day in days) assertEquals(null, day.shift) }
            assertThrows<RiderClosedException> { runBlocking { rider.ask { day() } } }
        }
    }
}
