package app.carboy.testing

import android.security.keystore.KeyGenParameterSpec
import java.io.InputStream
import java.io.OutputStream
import java.security.Key
import java.security.KeyStoreSpi
import java.security.Provider
import java.security.SecureRandom
import java.security.Security
import java.security.cert.Certificate
import java.security.spec.AlgorithmParameterSpec
import java.util.Collections
import java.util.Date
import java.util.Enumeration
import java.util.concurrent.ConcurrentHashMap
import javax.crypto.KeyGeneratorSpi
import javax.crypto.SecretKey
import javax.crypto.spec.SecretKeySpec

private const val NAME = "AndroidKeyStore"

/** The Android Keystore, which Robolectric has none of: a security provider of its name that keeps keys in memory. */
class TestKeystore private constructor() : Provider(NAME, "1", "keeps keys in memory") {
    /** The keys by alias; a test loses one by taking it out. */
    val held: MutableMap<String, Key> = ConcurrentHashMap()

    /** What every call fails with, for a Keystore that cannot be asked at the moment. */
    @Volatile
    var failure: Exception? = null

    init {
        putService(service("KeyStore", NAME) { Store() })
        putService(service("KeyGenerator", "AES") { Generator() })
    }

    private fun service(type: String, algorithm: String, make: () -> Any) =
        object : Service(this, type, algorithm, TestKeystore::class.java.name, null, null) {
            override fun newInstance(parameter: Any?) = make()
        }

    private inner class Generator : KeyGeneratorSpi() {
        private lateinit var spec: KeyGenParameterSpec

        override fun engineInit(parameters: AlgorithmParameterSpec, random: SecureRandom?) {
            spec = parameters as KeyGenParameterSpec
        }

        override fun engineInit(random: SecureRandom?) = throw UnsupportedOperationException("a key needs a name")

        override fun engineInit(size: Int, random: SecureRandom?) = engineInit(random)

        override fun engineGenerateKey(): SecretKey {
            failure?.let { throw it }
            val bytes = ByteArray(spec.keySize / 8).also { SecureRandom().nextBytes(it) }
            return SecretKeySpec(bytes, "AES").also { held[spec.keystoreAlias] = it }
        }
    }

    private inner class Store : KeyStoreSpi() {
        override fun engineGetKey(alias: String, password: CharArray?): Key? {
            failure?.let { throw it }
            return held[alias]
        }

        override fun engineLoad(stream: InputStream?, password: CharArray?) = Unit

        override fun engineContainsAlias(alias: String) = alias in held

        override fun engineAliases(): Enumeration<String> = Collections.enumeration(held.keys)

        override fun engineSize() = held.size

        override fun engineIsKeyEntry(alias: String) = alias in held

        override fun engineDeleteEntry(alias: String) {
            held.remove(alias)
        }

        override fun engineGetCertificateChain(alias: String) = null

        override fun engineGetCertificate(alias: String) = null

        override fun engineGetCreationDate(alias: String): Date? = null

        override fun engineIsCertificateEntry(alias: String) = false

        override fun engineGetCertificateAlias(certificate: Certificate): String? = null

        override fun engineSetKeyEntry(alias: String, key: Key, password: CharArray?, chain: Array<Certificate>?) =
            throw UnsupportedOperationException("keys are made here")

        override fun engineSetKeyEntry(alias: String, key: ByteArray, chain: Array<Certificate>?) =
            throw UnsupportedOperationException("keys are made here")

        override fun engineSetCertificateEntry(alias: String, certificate: Certificate) =
            throw UnsupportedOperationException("there are no certificates")

        override fun engineStore(stream: OutputStream?, password: CharArray?) = Unit
    }

    companion object {
        /** An empty Keystore in place of the last one, for a phone that has just been unpacked. */
        fun install(): TestKeystore {
            Security.removeProvider(NAME)
            return TestKeystore().also { Security.addProvider(it) }
        }
    }
}
