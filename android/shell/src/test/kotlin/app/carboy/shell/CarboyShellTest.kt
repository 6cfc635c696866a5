package app.carboy.shell

import app.carboy.CarboyException
import app.carboy.SignOut
import app.carboy.SignedOut
import app.carboy.SyncState
import app.carboy.WaitReason
import app.carboy.enrol
import java.io.File
import java.security.ProviderException
import java.time.Duration
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.awaitAll
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNotEquals
import org.junit.Assert.assertNull
import org.junit.Assert.assertSame
import org.junit.Assert.assertThrows
import org.junit.Assert.assertTrue
import org.junit.Test

/** Who is signed in on a phone, over restarts, sign-outs and what breaks. */
class CarboyShellTest : ShellTest() {
    private val identityFile = File(folder, "identity.json")

    private fun storeFile(shell: CarboyShell): File {
        val account = shell.awaitSession<Session.SignedIn>().identity.account
        return File(folder, "accounts/$account.db")
    }

    @Test
    fun `a new phone is signed out, and enrolled it is signed in until the process after next`() {
        val shell = start()
        assertEquals(Session.SignedOut, shell.awaitSession<Session.SignedOut>())
        assertNull(shell.rider.value)
        network.wifi()
        val rider = runBlocking { shell.enrol(server.address, server.code()) }
        assertSame(rider, shell.rider.value)
        val identity = shell.awaitSession<Session.SignedIn>().identity
        assertEquals(server.address to "KES", identity.server to identity.currency)
        shell.close()
        repeat(2) {
            val next = start()
            assertEquals(identity, next.awaitSession<Session.SignedIn>().identity)
            next.close()
        }
    }

    @Test
    fun `who is signed in is kept outside of every backup, and the token nowhere in clear`() {
        startEnrolled().close()
        val files = folder.walk().filter { it.isFile }.toList()
        assertTrue(files.all { it.startsWith(application.noBackupFilesDir) })
        val token = File(folder, "secrets").listFiles().orEmpty().single { it.name.endsWith(".token") }
        val secret = checkNotNull(Keys(File(folder, "secrets")).load(token.name)).decodeToString()
        assertTrue(files.none { secret in it.readText(Charsets.ISO_8859_1) })
        val elsewhere = listOf(application.filesDir, File(application.dataDir, "shared_prefs"))
        assertEquals(listOf<File>(), elsewhere.flatMap { it.walk().filter(File::isFile).toList() })
    }

    @Test
    fun `two quick taps on enrol enrol once`() {
        val shell = start()
        val code = server.code()
        val riders = runBlocking(Dispatchers.Default) {
            List(8) { async { shell.enrol(server.address, code) } }.awaitAll()
        }
        assertEquals(1, riders.toSet().size)
    }

    @Test
    fun `a wrong code and a server out of reach say so, and change nothing`() {
        val shell = start()
        shell.awaitSession<Session.SignedOut>()
        val failing = { address: String, code: String -> runBlocking { shell.enrol(address, code) } }
        assertThrows(CarboyException.WrongCode::class.java) { failing(server.address, "AAAA-BBBB") }
        assertThrows(CarboyException.Unreachable::class.java) { failing("http://127.0.0.1:1", server.code()) }
        assertThrows(CarboyException.Invalid::class.java) { failing("no address", server.code()) }
        assertEquals(Session.SignedOut, shell.session.value)
        assertFalse(identityFile.exists())
        runBlocking { shell.enrol(server.address, server.code()) }
        assertTrue(shell.session.value is Session.SignedIn)
    }

    @Test
    fun `an enrolment whose screen goes away is finished all the same`() {
        val shell = start()
        val code = server.code()
        runBlocking(Dispatchers.Default) {
            launch(start = CoroutineStart.UNDISPATCHED) { shell.enrol(server.address, code) }.cancelAndJoin()
        }
        assertSame(shell.signedIn(), shell.rider.value)
    }

    @Test
    fun `a process killed in the middle of enrolling wakes up signed out, and another code helps`() {
        val shell = start()
        shell.awaitSession<Session.SignedOut>()
        // As far as the server and the Keystore are concerned it has happened, and nothing was written since.
        val keys = Keys(File(folder, "secrets"))
        val enrolment = runBlocking { enrol(server.address, keys, server.code(), "killed") }
        Tokens(keys, enrolment.account).keep(enrolment.token)
        shell.close()
        val next = start()
        next.awaitSession<Session.SignedOut>()
        network.wifi()
        runBlocking { next.enrol(server.address, server.code()) }
        assertEquals(SyncState.Idle, runBlocking { next.signedIn().syncNow() }.status.state)
    }

    @Test
    fun `what a killed process recorded is there for the next one, and is sent once`() {
        val killed = startEnrolled().signedIn()
        val customer = killed.anyCustomer()
        val owed = killed.core.customer(customer).balance.minor
        killed.core.networkChanged(false)
        repeat(5) { killed.collect(100) }
        // Nothing of it is closed: the file is as a killed process leaves it.
        val rider = start().signedIn()
        killed.core.networkChanged(false)
        assertEquals(owed - 500, rider.core.customer(customer).balance.minor)
        assertEquals(0uL, runBlocking { rider.syncNow() }.status.pending)
        assertEquals(owed - 500, rider.core.customer(customer).balance.minor)
        assertEquals(0uL, rider.core.status().attention)
    }

    @Test
    fun `signing out with work to send is refused, then kept sealed while a second rider works`() {
        val shell = startEnrolled()
        val first = shell.awaitSession<Session.SignedIn>().identity
        shell.signedIn().core.networkChanged(false)
        shell.signedIn().collect(100)
        val refused = assertThrows(CarboyException.PendingWork::class.java) {
            runBlocking { shell.signOut(SignOut.IfDone) }
        }
        assertEquals(1uL, refused.mutations)
        assertEquals(first, shell.awaitSession<Session.SignedIn>().identity)

        assertEquals(SignedOut.Sealed(1u), runBlocking { shell.signOut(SignOut.KeepSealed) })
        assertEquals(Session.SignedOut, shell.session.value)
        assertNull(shell.rider.value)
        assertFalse(identityFile.exists())
        assertFalse(File(folder, "secrets/carboy.${first.account}.token").exists())
        val signedOut = assertThrows(CarboyException.SignedOut::class.java) {
            runBlocking { shell.signOut(SignOut.IfDone) }
        }
        assertEquals("nobody is signed in", signedOut.detail)

        val second = runBlocking { shell.enrol(server.address, server.code()) }
        assertNotEquals(first.account, shell.awaitSession<Session.SignedIn>().identity.account)
        assertEquals(0uL, second.status.value.pending)
        assertTrue(File(folder, "accounts/${first.account}.db").exists())
    }

    @Test
    fun `a rider who has sent everything leaves nothing of his on the phone`() {
        val shell = startEnrolled()
        shell.signedIn().collect(100)
        val signedOut = runBlocking { shell.signOut(SignOut.SendFirst(Duration.ofSeconds(20))) }
        assertEquals(SignedOut.Removed, signedOut)
        assertEquals(listOf<File>(), folder.walk().filter { it.isFile }.toList())
        shell.close()
        start().awaitSession<Session.SignedOut>()
    }

    @Test
    fun `another rider's code while one is signed in closes the first one's store, with what waits in it`() {
        val shell = startEnrolled()
        shell.signedIn().core.networkChanged(false)
        shell.signedIn().collect(100)
        val first = storeFile(shell)
        val second = runBlocking { shell.enrol(server.address, server.code()) }
        assertSame(second, shell.rider.value)
        assertEquals(0uL, second.status.value.pending)
        assertTrue(first.exists() && first != storeFile(shell))
    }

    @Test
    fun `a file of a newer app, of nothing we know, or of another rider is broken with its reason, and left as it is`() {
        val shell = startEnrolled()
        val store = storeFile(shell)
        shell.close()
        val bytes = store.readBytes()
        listOf("db-wal", "db-shm").forEach { store.resolveSibling(store.nameWithoutExtension + ".$it").delete() }
        // SQLite's header: bytes 60 to 63 are the schema's version, written by the app.
        store.writeBytes(bytes.copyOf().also { it[60] = 0x7F })
        assertEquals(CarboyException.NeedsUpgrade::class, start().awaitSession<Session.Broken>().error::class)
        store.writeBytes(bytes.copyOf().also { "no such thing".encodeToByteArray().copyInto(it, 68) })
        val unknown = start().awaitSession<Session.Broken>().error
        assertTrue("$unknown", unknown is CarboyException.NotAStore || unknown is CarboyException.NeedsUpgrade)
        store.writeBytes(bytes)
        start().signedIn()
    }

    @Test
    fun `who is signed in, unreadable, is broken, and enrolling anew goes on with the same store`() {
        val shell = startEnrolled()
        val account = shell.awaitSession<Session.SignedIn>().identity
        shell.close()
        val text = identityFile.readText()
        for (damaged in listOf("", "{}", text.dropLast(9), "\u0000".repeat(text.length))) {
            identityFile.writeText(damaged)
            val broken = start()
            val error = broken.awaitSession<Session.Broken>().error as CarboyException.Internal
            assertTrue(error.detail, "who is signed in cannot be read" in error.detail)
            runBlocking { broken.enrol(server.address, server.code()) }
            broken.signedIn()
            broken.close()
        }
        identityFile.writeText(text)
        assertEquals(account, start().awaitSession<Session.SignedIn>().identity)
    }

    @Test
    fun `a Keystore that has lost its key leaves the rider recording, asks for a new sign-in, and nothing is lost`() {
        val shell = startEnrolled()
        shell.close()
        keystore.held.clear()
        val rider = start().signedIn()
        rider.collect(100)
        val report = runBlocking { rider.syncNow() }
        assertEquals(SyncState.NeedsSignIn to 1uL, report.status.state to report.status.pending)
    }

    @Test
    fun `a Keystore that does not answer for now keeps what is recorded and sends it later`() {
        val shell = startEnrolled()
        shell.close()
        keystore.failure = ProviderException("the keystore daemon does not answer")
        val next = start()
        val rider = next.signedIn()
        rider.collect(100)
        val waiting = runBlocking { rider.syncNow() }.status.state as SyncState.Waiting
        assertEquals(WaitReason.TOKEN, waiting.reason)
        keystore.failure = null
        val report = runBlocking { rider.syncNow() }
        assertEquals(SyncState.Idle to 0uL, report.status.state to report.status.pending)
    }

    @Test
    fun `the core hears of the network that was there before it, and of each one after`() {
        startEnrolled().close()
        val wifi = network.wifi()
        val shell = start()
        network.gone(wifi)
        val rider = shell.signedIn()
        assertEquals(SyncState.Offline, runBlocking { rider.syncNow() }.status.state)
        network.mobile()
        assertEquals(SyncState.Idle, runBlocking { rider.syncNow() }.status.state)
    }

    @Test
    fun `a closed shell watches no network, and a thousand of them leave none behind`() {
        repeat(1_000) { CarboyShell(application).close() }
        assertEquals(0, network.watchers)
    }
}
