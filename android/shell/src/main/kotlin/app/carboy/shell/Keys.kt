package app.carboy.shell

import android.security.keystore.KeyGenParameterSpec
import android.security.keystore.KeyProperties
import android.util.AtomicFile
import androidx.core.util.readBytes
import androidx.core.util.writeBytes
import app.carboy.KeyStore
import app.carboy.KeyStoreException
import java.io.File
import java.io.FileNotFoundException
import java.io.IOException
import java.security.GeneralSecurityException
import java.security.InvalidKeyException
import java.security.ProviderException
import java.security.UnrecoverableKeyException
import javax.crypto.BadPaddingException
import javax.crypto.Cipher
import javax.crypto.KeyGenerator
import javax.crypto.SecretKey
import javax.crypto.spec.GCMParameterSpec

private const val PROVIDER = "AndroidKeyStore"
private const val ALIAS = "carboy.secrets"
private const val AES_GCM = "AES/GCM/NoPadding"
private const val NONCE_BYTES = 12
private const val TAG_BITS = 128

/** What a secret may be called: fit for a file's name. */
private val NAME = Regex("[A-Za-z0-9][A-Za-z0-9._-]*")

/** A secret is on this phone and can never be read again, because the Keystore has lost the key that wraps it. */
internal class SecretLost(name: String, cause: Exception?) : Exception("$name is lost: its key is gone", cause)

/**
 * The phone's secrets: each one a file in [folder], wrapped with an AES key that never leaves the Android Keystore.
 *
 * The key asks for no unlocked phone and no fingerprint: what is in the outbox is sent from a pocket.
 */
internal class Keys(private val folder: File) : KeyStore {
    /** A lost secret throws too: it must never look like one that was never there. */
    override fun load(name: String): ByteArray? = try {
        read(name)
    } catch (error: SecretLost) {
        throw failed(name, error)
    }

    /** The secret of this name; fails with [SecretLost], or [KeyStoreException] if it cannot be read at the moment. */
    @Synchronized
    fun read(name: String): ByteArray? = failing(name) {
        try {
            unwrap(name, file(name).readBytes())
        } catch (_: FileNotFoundException) {
            null
        }
    }

    @Synchronized
    override fun save(name: String, secret: ByteArray) = failing(name) {
        folder.mkdirs()
        file(name).writeBytes(wrap(name, secret))
    }

    @Synchronized
    override fun remove(name: String) = file(name).delete()

    private fun file(name: String): AtomicFile {
        if (!NAME.matches(name)) throw KeyStoreException.Failed("a secret cannot be named $name")
        return AtomicFile(File(folder, name))
    }

    private fun unwrap(name: String, wrapped: ByteArray): ByteArray = try {
        val key = findKey() ?: throw SecretLost(name, null)
        val cipher = Cipher.getInstance(AES_GCM)
        cipher.init(Cipher.DECRYPT_MODE, key, GCMParameterSpec(TAG_BITS, wrapped, 0, NONCE_BYTES))
        cipher.updateAAD(name.encodeToByteArray())
        cipher.doFinal(wrapped, NONCE_BYTES, wrapped.size - NONCE_BYTES)
    } catch (error: UnrecoverableKeyException) {
        throw SecretLost(name, error)
    } catch (error: InvalidKeyException) {
        throw SecretLost(name, error)
    } catch (error: BadPaddingException) {
        throw SecretLost(name, error)
    } catch (error: IllegalArgumentException) {
        throw SecretLost(name, error)
    }

    private fun wrap(name: String, secret: ByteArray): ByteArray = try {
        wrap(findKey() ?: makeKey(), name, secret)
    } catch (_: UnrecoverableKeyException) {
        wrap(makeKey(), name, secret)
    } catch (_: InvalidKeyException) {
        wrap(makeKey(), name, secret)
    }

    private fun wrap(key: SecretKey, name: String, secret: ByteArray): ByteArray {
        val cipher = Cipher.getInstance(AES_GCM)
        cipher.init(Cipher.ENCRYPT_MODE, key)
        // A file that is given another secret's name does not open.
        cipher.updateAAD(name.encodeToByteArray())
        return cipher.iv + cipher.doFinal(secret)
    }

    private fun findKey(): SecretKey? =
        java.security.KeyStore.getInstance(PROVIDER).apply { load(null) }.getKey(ALIAS, null) as SecretKey?

    private fun makeKey(): SecretKey {
        val purposes = KeyProperties.PURPOSE_ENCRYPT or KeyProperties.PURPOSE_DECRYPT
        val spec = KeyGenParameterSpec.Builder(ALIAS, purposes)
            .setBlockModes(KeyProperties.BLOCK_MODE_GCM)
            .setEncryptionPaddings(KeyProperties.ENCRYPTION_PADDING_NONE)
            .setKeySize(256)
            .build()
        return KeyGenerator.getInstance(KeyProperties.KEY_ALGORITHM_AES, PROVIDER).apply { init(spec) }.generateKey()
    }

    private fun <T> failing(name: String, work: () -> T): T = try {
        work()
    } catch (error: GeneralSecurityException) {
        throw failed(name, error)
    } catch (error: ProviderException) {
        throw failed(name, error)
    } catch (error: IOException) {
        throw failed(name, error)
    }

    private fun failed(name: String, error: Exception) =
        KeyStoreException.Failed("$name: $error").apply { initCause(error) }
}
