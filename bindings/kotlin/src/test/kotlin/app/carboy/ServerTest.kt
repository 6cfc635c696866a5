package app.carboy

import java.nio.file.Path
import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.atomic.AtomicInteger
import org.junit.jupiter.api.AfterAll
import org.junit.jupiter.api.BeforeAll
import org.junit.jupiter.api.TestInstance
import org.junit.jupiter.api.io.TempDir

/** Phones with the real core through JNA, and the real server process that they talk to. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
abstract class ServerTest {
    protected lateinit var server: TestServer

    @TempDir
    protected lateinit var folder: Path

    @BeforeAll
    fun start() {
        server = TestServer()
    }

    @AfterAll
    fun stop() = server.close()

    protected suspend fun enrolled(keys: KeyStore) = enrol(server.address, keys, server.code(), "Kotlin test")

    protected fun open(
        enrolment: Enrolment,
        keys: KeyStore,
        tokens: TokenProvider = Tokens { enrolment.token },
        observer: Observer? = null,
    ): Carboy {
        val (_, _, account, _, plant, _, currency) = enrolment
        return Carboy.open(Config(folder.toString(), server.address, plant, account, currency), keys, tokens, observer)
    }

    /** Runs `day` with the phone of a rider who has just enrolled and has the plant's customers. */
    protected suspend fun <T> withPhone(keys: KeyStore = Keys(), day: suspend (Carboy) -> T): T {
        val enrolment = enrolled(keys)
        return open(enrolment, keys).use { carboy ->
            carboy.syncNow()
            day(carboy)
        }
    }

    protected fun path(name: String): String = folder.resolve(name).toString()

    protected fun Carboy.anyCustomer() = customers(limit = 1u).single().customer

    protected val bottle = ProductCode("20L")

    protected fun kes(minor: Long) = Money(minor, "KES")
}

class Tokens(private val answer: () -> String) : TokenProvider {
    val asked = AtomicInteger()

    override suspend fun token(refresh: Boolean): String {
        asked.incrementAndGet()
        return answer()
    }
}

class Keys : KeyStore {
    val secrets = ConcurrentHashMap<String, ByteArray>()

    override fun load(name: String) = secrets[name]

    override fun save(name: String, secret: ByteArray) {
        secrets[name] = secret
    }

    override fun remove(name: String) {
        secrets.remove(name)
    }
}
