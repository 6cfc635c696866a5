package app.carboy

import java.util.concurrent.CopyOnWriteArrayList
import java.util.concurrent.CopyOnWriteArraySet
import java.util.concurrent.CountDownLatch
import java.util.concurrent.Semaphore
import java.util.concurrent.TimeUnit
import java.util.concurrent.atomic.AtomicInteger
import java.util.concurrent.atomic.AtomicReference
import kotlin.io.path.createFile
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.assertThrows

/** What crosses the border, and who may fail beyond it. */
class BorderTest : ServerTest() {
    private class Changes : Observer {
        val seen = CopyOnWriteArraySet<Change>()
        val outbox = CountDownLatch(1)

        override fun changed(changes: List<Change>) {
            seen.addAll(changes)
            if (Change.OUTBOX in changes) outbox.countDown()
        }
    }

    private val keys = Keys()

    @Test
    fun `a rider records offline and everything reaches the server`() = runBlocking {
        val enrolment = enrolled(keys)
        val tokens = Tokens { enrolment.token }
        val changes = Changes()
        open(enrolment, keys, tokens, changes).use { carboy ->
            assertEquals(SyncState.Idle, carboy.syncNow().status.state)
            val stops = carboy.stops(carboy.routes().single().route)
            val customer = stops.first().customer
            val before = customer.balance.minor

            carboy.networkChanged(false)
            carboy.syncNow()
            carboy.confirmDelivery(customer.customer, listOf(DeliveredLine(bottle, 3, 2)))
            carboy.collectCash(customer.customer, kes(20_000))
            val receipt = carboy.updateProfile(customer.customer, mapOf(Field.PHONE to "0722"))
            carboy.failDelivery(stops[1].customer.customer, FailReason.CLOSED)
            assertEquals(before + 45_000 - 20_000, receipt.customer.balance.minor)
            assertEquals(receipt.code, carboy.records(limit = 2u).last().code)
            assertEquals(4uL, carboy.status().pending)
            assertEquals(SyncState.Offline, carboy.syncNow().status.state)

            carboy.networkChanged(true)
            val report = carboy.syncNow()
            assertEquals(0uL, report.status.pending)
            assertEquals(0uL, report.status.attention)
            val settled = carboy.customer(customer.customer)
            assertEquals(receipt.customer.balance, settled.balance)
            assertEquals(0, settled.unsettled.minor)
            assertEquals(StopState.FAILED, carboy.stops(carboy.routes().single().route)[1].state)
            assertTrue(changes.outbox.await(10, TimeUnit.SECONDS))
            assertTrue(tokens.asked.get() > 0)
        }
        // What the server holds, seen by another rider's phone.
        val other = enrolled(keys)
        open(other, keys).use { carboy ->
            carboy.syncNow()
            val customer = carboy.customers().map { carboy.customer(it.customer) }.single { it.phone == "0722" }
            val amounts = carboy.history(customer.customer, limit = 2u).map { it.amount.minor }
            assertEquals(listOf(-20_000L, 45_000L), amounts)
        }
    }

    @Test
    fun `a call that fails says why and leaves nothing behind`() = runBlocking {
        assertThrows<CarboyException.WrongCode> { runBlocking { enrol(server.address, keys, "0000-0000", "thief") } }
        val enrolment = enrolled(keys)
        open(enrolment, keys).use { carboy ->
            carboy.syncNow()
            val customer = carboy.anyCustomer()
            val unknown = CustomerId("00000000-0000-0000-0000-000000000000")
            assertThrows<CarboyException.UnknownCustomer> { carboy.collectCash(unknown, kes(1)) }
            assertThrows<CarboyException.CurrencyMismatch> { carboy.collectCash(customer, Money(1, "UGX")) }
            assertThrows<CarboyException.Invalid> { carboy.collectCash(CustomerId("no id"), kes(1)) }
            val error = assertThrows<CarboyException.Invalid> {
                carboy.confirmDelivery(customer, listOf(DeliveredLine(bottle, -3, 0)))
            }
            assertEquals("bottles delivered out of range: -3 (0 to 10000)", error.detail)
            assertEquals(0uL, carboy.status().pending)
        }
    }

    @Test
    fun `a provider or an observer that throws harms nothing`() = runBlocking {
        val signedOut = Tokens { throw TokenException.SignedOut() }
        val broken = Tokens { error("the key store is locked") }
        val throwing = object : Observer {
            override fun changed(changes: List<Change>) = error("an observer's own mistake")
        }
        val enrolment = Enrolment("", DeviceId(""), AccountId(ID), "", PlantId(ID), "", "KES")
        open(enrolment, keys, signedOut, throwing).use { carboy ->
            assertEquals(SyncState.NeedsSignIn, carboy.syncNow().status.state)
        }
        open(enrolment, keys, broken, throwing).use { carboy ->
            assertTrue(carboy.syncNow().status.state is SyncState.Waiting)
        }
    }

    @Test
    fun `a call from within a callback leaves the outcome of the call around it alone`() = runBlocking<Unit> {
        val noFolder = folder.resolve("file").createFile().toString()
        val nested = mutableListOf<Result<Int>>()
        var refuses = false
        val calling = object : KeyStore by keys {
            override fun load(name: String): ByteArray? {
                nested += listOf(folder.toString(), noFolder).map { runCatching { accounts(it, Keys()).size } }
                if (refuses) throw KeyStoreException.Failed("the phone is locked")
                return keys.load(name)
            }
        }
        val enrolment = enrolled(keys)
        open(enrolment, calling).use { carboy ->
            carboy.syncNow()
            nested.clear()
            carboy.exportOutbox(path("outbox"))
            refuses = true
            assertThrows<CarboyException.KeyStoreFailed> { carboy.exportOutbox(path("outbox")) }
            assertEquals(listOf(true, false, true, false), nested.map { it.isSuccess })
        }
    }

    @Test
    fun `a thread of the core stays one and the same for Java, with a callback within a callback too`() = runBlocking<Unit> {
        val phone = AtomicReference<Carboy>()
        val observed = CopyOnWriteArraySet<Thread>()
        val nested = AtomicInteger()
        val called = Semaphore(0)
        val asked = object : KeyStore by keys {
            override fun load(name: String): ByteArray? {
                if (Thread.currentThread() in observed) nested.incrementAndGet()
                return keys.load(name)
            }
        }
        val exporting = object : Observer {
            override fun changed(changes: List<Change>) {
                val carboy = phone.get() ?: return
                observed += Thread.currentThread()
                carboy.exportOutbox(path("outbox ${nested.get()}"))
                called.release()
            }
        }
        val enrolment = enrolled(keys)
        open(enrolment, asked, observer = exporting).use { carboy ->
            phone.set(carboy)
            repeat(3) {
                carboy.addCustomer(mapOf(Field.NAME to "Customer $it"))
                assertTrue(called.tryAcquire(10, TimeUnit.SECONDS))
            }
            phone.set(null)
            assertEquals(1, observed.size)
            assertTrue(nested.get() >= 3)
        }
    }

    @Test
    fun `calls from many threads at once do not mix`() = runBlocking<Unit> {
        withPhone { carboy ->
            carboy.networkChanged(false)
            val customers = carboy.customers().map { it.customer }
            customers.take(4).map { mine ->
                async(Dispatchers.IO) {
                    repeat(200) {
                        assertEquals(mine, carboy.collectCash(mine, kes(1L + it)).customer.customer)
                        assertThrows<CarboyException.CurrencyMismatch> { carboy.collectCash(mine, Money(1, "UGX")) }
                    }
                }
            }.awaitAll()
            assertEquals(800uL, carboy.status().pending)
        }
    }

    @Test
    fun `a refused token is asked for once more, as a new one`() = runBlocking {
        val enrolment = enrolled(keys)
        val asked = CopyOnWriteArrayList<Boolean>()
        val tokens = object : TokenProvider {
            override suspend fun token(refresh: Boolean): String {
                asked += refresh
                return if (refresh) enrolment.token else "stale"
            }
        }
        open(enrolment, keys, tokens).use { carboy ->
            assertEquals(SyncState.Idle, carboy.syncNow().status.state)
            assertEquals(listOf(false, true), asked.toList())
        }
    }

    @Test
    fun `who gives up waiting for an exchange does not stop it`() = runBlocking {
        val enrolment = enrolled(keys)
        val asked = CompletableDeferred<Unit>()
        val gate = CompletableDeferred<Unit>()
        val tokens = object : TokenProvider {
            override suspend fun token(refresh: Boolean): String {
                asked.complete(Unit)
                gate.await()
                return enrolment.token
            }
        }
        val arrived = CompletableDeferred<Unit>()
        val observer = object : Observer {
            override fun changed(changes: List<Change>) {
                if (Change.CUSTOMERS in changes) arrived.complete(Unit)
            }
        }
        open(enrolment, keys, tokens, observer).use { carboy ->
            val caller = launch { carboy.syncNow() }
            asked.await()
            caller.cancelAndJoin()
            assertEquals(0, carboy.routes().size)
            gate.complete(Unit)
            withTimeout(10_000) { arrived.await() }
            assertEquals(1, carboy.routes().size)
        }
    }

    @Test
    fun `what was recorded is there after closing and opening again, and is sent then`() = runBlocking {
        val enrolment = enrolled(keys)
        val tokens = Tokens { enrolment.token }
        val recorded = open(enrolment, keys, tokens).use { carboy ->
            carboy.syncNow()
            carboy.networkChanged(false)
            carboy.collectCash(carboy.anyCustomer(), kes(700)).customer
        }
        open(enrolment, keys, tokens).use { carboy ->
            assertEquals(recorded.balance, carboy.customer(recorded.customer).balance)
            val report = carboy.syncNow()
            assertEquals(0uL, report.status.pending)
            assertEquals(recorded.balance, carboy.customer(recorded.customer).balance)
            assertEquals(-700L, carboy.history(recorded.customer, limit = 1u).single { it.settled }.amount.minor)
        }
    }

    private companion object {
        const val ID = "01936000-0000-7000-8000-000000000001"
    }
}
