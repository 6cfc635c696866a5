package app.carboy.rider

import app.carboy.Config
import app.carboy.KeyStore
import app.carboy.Rider
import app.carboy.TokenProvider
import app.carboy.enrol
import app.carboy.testing.TestServer
import java.io.File
import java.nio.file.Files
import java.util.concurrent.ConcurrentHashMap
import kotlinx.coroutines.runBlocking

/** A colleague's phone on the same plant: the core without an app around it. */
class OtherPhone(server: TestServer, code: String = server.code()) : AutoCloseable {
    private val folder: File = Files.createTempDirectory("carboy-other").toFile()

    val rider: Rider = runBlocking {
        val keys = Secrets()
        val enrolment = enrol(server.address, keys, code, "a colleague's")
        val config = with(enrolment) { Config(folder.path, server.address, plant, account, currency) }
        Rider.open(config, keys, Token(enrolment.token)).apply { core.networkChanged(true) }
    }

    override fun close() {
        rider.close()
        folder.deleteRecursively()
    }

    private class Token(private val token: String) : TokenProvider {
        override suspend fun token(refresh: Boolean) = token
    }

    private class Secrets : KeyStore {
        private val held = ConcurrentHashMap<String, ByteArray>()

        override fun load(name: String): ByteArray? = held[name]

        override fun save(name: String, secret: ByteArray) {
            held[name] = secret
        }

        override fun remove(name: String) {
            held.remove(name)
        }
    }
}
