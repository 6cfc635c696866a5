package app.carboy

import java.nio.file.Files
import java.time.Duration
import java.util.concurrent.LinkedBlockingQueue
import java.util.concurrent.TimeUnit
import java.util.concurrent.atomic.AtomicBoolean
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertFalse
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.assertThrows

/** Suspended, signed out, several riders on one phone, and what support gets to see. */
class LifecycleTest : ServerTest() {
    @Test
    fun `a paused phone records, is drained in a background window, and goes on when resumed`() = runBlocking {
        withPhone { carboy ->
            val customer = carboy.anyCustomer()
            carboy.pause()
            carboy.collectCash(customer, kes(100))
            assertEquals(SyncState.Paused, carboy.syncNow().status.state)
            assertEquals(1uL, carboy.status().pending)
            val drained = carboy.drainFor(Duration.ofSeconds(10))
            assertEquals(1uL to 0uL, drained.settled to drained.status.pending)
            assertEquals(SyncState.Paused, carboy.status().state)

            carboy.collectCash(customer, kes(100))
            carboy.resume()
            val report = carboy.syncNow()
            assertEquals(0uL to SyncState.Idle, report.status.pending to report.status.state)
            assertEquals(Duration.ZERO, report.status.oldestAge)
        }
    }

    @Test
    fun `a window without a server ends and says why`() = runBlocking {
        val keys = Keys()
        val enrolment = enrolled(keys)
        val (_, _, account, _, plant, _, currency) = enrolment
        val config = Config(folder.toString(), "http://127.0.0.1:1", plant, account, currency)
        Carboy.open(config, keys, Tokens { enrolment.token }, null).use { carboy ->
            carboy.startShift()
            val status = carboy.drainFor(Duration.ofMillis(100)).status
            assertEquals(1uL, status.pending)
            val waiting = carboy.syncNow().status.state as SyncState.Waiting
            assertEquals(WaitReason.LINK, waiting.reason)
            assertTrue(waiting.delay <= Duration.ofMinutes(5))
        }
    }

    @Test
    fun `signing out with work to send is refused, then sends it, and leaves nothing behind`() = runBlocking {
        val keys = Keys()
        withPhone(keys) { carboy ->
            carboy.networkChanged(false)
            carboy.collectCash(carboy.anyCustomer(), kes(100))
            val refused = assertThrows<CarboyException.PendingWork> { runBlocking { carboy.signOut(SignOut.IfDone) } }
            assertEquals(1uL to 0uL, refused.mutations to refused.photos)
            carboy.networkChanged(true)
            assertEquals(SignedOut.Removed, carboy.signOut(SignOut.SendFirst(Duration.ofSeconds(10))))
            assertThrows<CarboyException.SignedOut> { carboy.day() }
        }
        assertEquals(listOf<StoredAccount>(), accounts(folder.toString(), keys))
        assertTrue(keys.secrets.isEmpty())
    }

    @Test
    fun `a second rider signs in while the first one's work is kept sealed or exported`() = runBlocking {
        val keys = Keys()
        val first = enrolled(keys)
        open(first, keys).use { carboy ->
            carboy.syncNow()
            carboy.networkChanged(false)
            carboy.collectCash(carboy.anyCustomer(), kes(100))
            carboy.exportOutbox(path("outbox.jsonl"))
            assertEquals(SignedOut.Sealed(1u), carboy.signOut(SignOut.Export(path("again.jsonl"))))
        }
        val exported = Files.readAllLines(folder.resolve("outbox.jsonl"))
        assertEquals(1, exported.size)
        assertTrue("collect_cash" in exported.single())
        assertEquals(exported, Files.readAllLines(folder.resolve("again.jsonl")))
        withPhone(keys) { carboy ->
            assertEquals(0uL, carboy.status().pending)
            val stored = accounts(folder.toString(), keys)
            assertEquals(2, stored.size)
            assertEquals(listOf(first.account), stored.filter { it.pending == 1uL }.map { it.account })
        }
        open(first, keys).use { carboy ->
            assertEquals(0uL, carboy.syncNow().status.pending)
            assertEquals(listOf(Settlement.APPLIED), carboy.records(limit = 10u).map { it.state })
        }
    }

    @Test
    fun `diagnostics tell of a record without what is personal in it`() = runBlocking {
        withPhone { carboy ->
            carboy.networkChanged(false)
            val receipt = carboy.addCustomer(mapOf(Field.NAME to "Wanjiru Kamau", Field.PHONE to "0733123456"))
            carboy.exportDiagnostics(path("diagnostics.json"))
            val text = Files.readString(folder.resolve("diagnostics.json"))
            assertTrue(receipt.txn.text in text)
            assertFalse("Wanjiru" in text || "0733123456" in text)
        }
    }

    @Test
    fun `a log sink gets lines with the mutation that they are about, and may throw`() = runBlocking {
        withPhone { carboy ->
            val lines = LinkedBlockingQueue<String>()
            val threw = AtomicBoolean()
            val sink = object : LogSink {
                override fun log(level: LogLevel, target: String, line: String) {
                    check(threw.getAndSet(true)) { "a sink's own mistake" }
                    if (target.startsWith("carboy")) lines.add("$level $line")
                }
            }
            setLogSink(sink, LogLevel.DEBUG)
            carboy.startShift()
            assertTrue(carboy.syncNow().settled > 0u)
            val txn = carboy.finishShift().txn
            var line = ""
            while ("txn_id=$txn" !in line) line = checkNotNull(lines.poll(10, TimeUnit.SECONDS)) { "no line of $txn" }
            assertTrue(line.startsWith("DEBUG "), line)

            val others = LinkedBlockingQueue<String>()
            val other = object : LogSink {
                override fun log(level: LogLevel, target: String, line: String) {
                    others.add(line)
                }
            }
            setLogSink(other, LogLevel.DEBUG)
            carboy.startShift()
            checkNotNull(others.poll(10, TimeUnit.SECONDS)) { "the second sink got nothing" }
            setLogSink(other, LogLevel.ERROR)
        }
    }

    @Test
    fun `a key store that throws fails the call that needs it and nothing else`() = runBlocking {
        val declared = object : KeyStore by Keys() {
            override fun save(name: String, secret: ByteArray) = throw KeyStoreException.Failed("the phone is locked")
        }
        val error = assertThrows<CarboyException.KeyStoreFailed> { runBlocking { enrolled(declared) } }
        assertTrue("the phone is locked" in error.detail, error.detail)

        val keys = Keys()
        val enrolment = enrolled(keys)
        val locked = AtomicBoolean(true)
        val failing = object : KeyStore by keys {
            override fun load(name: String): ByteArray? {
                check(!locked.get()) { "a key store's own mistake" }
                return keys.load(name)
            }
        }
        open(enrolment, failing).use { carboy ->
            carboy.startShift()
            assertThrows<CarboyException.KeyStoreFailed> { carboy.exportOutbox(path("outbox.jsonl")) }
            val waiting = carboy.syncNow().status
            assertEquals(WaitReason.STORE, (waiting.state as SyncState.Waiting).reason)
            assertEquals(1uL, waiting.pending)
            locked.set(false)
            assertEquals(1uL, carboy.syncNow().settled)
        }
    }
}
