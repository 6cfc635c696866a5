package app.carboy.shell

import app.carboy.AccountId
import app.carboy.KeyStoreException
import app.carboy.TokenException
import app.carboy.testing.TestKeystore
import java.io.File
import java.security.ProviderException
import java.security.UnrecoverableKeyException
import kotlinx.coroutines.runBlocking
import org.junit.Assert.assertArrayEquals
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNotEquals
import org.junit.Assert.assertNull
import org.junit.Assert.assertThrows
import org.junit.Rule
import org.junit.Test
import org.junit.rules.TemporaryFolder
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner

/** Secrets wrapped by the Keystore, and what becomes of them when it loses its key. */
@RunWith(RobolectricTestRunner::class)
class KeysTest {
    @get:Rule
    val temporary = TemporaryFolder()

    private val keystore = TestKeystore.install()
    private val folder by lazy { File(temporary.root, "secrets") }
    private val keys by lazy { Keys(folder) }
    private val secret = "a secret of thirty-two bytes ...".encodeToByteArray()
    private val name = "carboy.7f3a.device"

    @Test
    fun `a secret comes back after a restart, can be replaced, and is gone once removed`() {
        assertNull(keys.load(name))
        keys.save(name, secret)
        assertArrayEquals(secret, Keys(folder).load(name))
        keys.save(name, byteArrayOf(1))
        assertArrayEquals(byteArrayOf(1), Keys(folder).load(name))
        keys.remove(name)
        keys.remove(name)
        assertNull(keys.load(name))
        assertEquals(listOf<String>(), folder.list()?.toList())
    }

    @Test
    fun `a file holds nothing of its secret, and never the same bytes twice`() {
        keys.save(name, secret)
        val first = File(folder, name).readBytes()
        keys.save(name, secret)
        val second = File(folder, name).readBytes()
        assertNotEquals(first.toList(), second.toList())
        assertFalse("thirty-two" in String(first, Charsets.ISO_8859_1))
    }

    @Test
    fun `one key of the Keystore wraps all secrets, and it is not asked to leave`() {
        keys.save(name, secret)
        keys.save("carboy.7f3a.store", secret)
        assertEquals(setOf("carboy.secrets"), keystore.held.keys.toSet())
    }

    @Test
    fun `a secret whose key the Keystore has lost is an error, not a secret that was never there`() {
        keys.save(name, secret)
        keystore.held.clear()
        assertThrows(SecretLost::class.java) { keys.read(name) }
        assertThrows(KeyStoreException.Failed::class.java) { keys.load(name) }
        assertNull(keys.load("carboy.7f3a.other"))
    }

    @Test
    fun `a key that cannot be recovered, or another one in its place, loses the secret too, and saving makes a new one`() {
        keys.save(name, secret)
        keystore.failure = UnrecoverableKeyException("after an update of the system")
        assertThrows(SecretLost::class.java) { keys.read(name) }
        keystore.failure = null
        keystore.held.clear()
        keys.save("another", secret)
        assertThrows(SecretLost::class.java) { keys.read(name) }
        keys.save(name, secret)
        assertArrayEquals(secret, keys.load(name))
    }

    @Test
    fun `a Keystore that cannot be asked at the moment fails, and gives the secret later`() {
        keys.save(name, secret)
        keystore.failure = ProviderException("the keystore daemon does not answer")
        val failed = assertThrows(KeyStoreException.Failed::class.java) { keys.read(name) }
        assertEquals("$name: java.security.ProviderException: the keystore daemon does not answer", failed.detail)
        assertThrows(KeyStoreException.Failed::class.java) { keys.save(name, byteArrayOf(1)) }
        keystore.failure = null
        assertArrayEquals(secret, keys.load(name))
    }

    @Test
    fun `a file that was changed, cut or given another name does not open`() {
        keys.save(name, secret)
        val file = File(folder, name)
        val bytes = file.readBytes()
        file.copyTo(File(folder, "carboy.7f3a.other"))
        assertThrows(SecretLost::class.java) { keys.read("carboy.7f3a.other") }
        for (length in 0 until bytes.size) {
            file.writeBytes(bytes.copyOf(length))
            assertThrows("cut to $length", SecretLost::class.java) { keys.read(name) }
        }
        for (at in bytes.indices) {
            file.writeBytes(bytes.copyOf().also { it[at] = (it[at] + 1).toByte() })
            assertThrows("changed at $at", SecretLost::class.java) { keys.read(name) }
        }
    }

    @Test
    fun `a name that leads out of the folder is refused`() {
        for (bad in listOf("", "../identity.json", "a/b", "a\u0000")) {
            assertThrows(bad, KeyStoreException.Failed::class.java) { keys.save(bad, secret) }
        }
        assertThrows(KeyStoreException.Failed::class.java) { keys.load("..") }
    }

    @Test
    fun `the token is given out while it is there, and a lost or refused one asks for a new sign-in`() = runBlocking {
        val tokens = Tokens(keys, AccountId("7f3a"))
        assertThrows(TokenException.SignedOut::class.java) { runBlocking { tokens.token(false) } }
        tokens.keep("bearer")
        assertEquals("bearer", tokens.token(false))
        assertThrows(TokenException.SignedOut::class.java) { runBlocking { tokens.token(true) } }
        keystore.failure = ProviderException("busy")
        assertThrows(TokenException.Unavailable::class.java) { runBlocking { tokens.token(false) } }
        keystore.failure = null
        keystore.held.clear()
        assertThrows(TokenException.SignedOut::class.java) { runBlocking { tokens.token(false) } }
        tokens.keep("another")
        assertEquals("another", tokens.token(false))
        tokens.forget()
        assertThrows(TokenException.SignedOut::class.java) { runBlocking { tokens.token(false) } }
        Unit
    }
}
