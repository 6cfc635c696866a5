package app.carboy

import java.nio.file.Path
import java.util.concurrent.ConcurrentHashMap
import java.util.concurrent.atomic.AtomicInteger
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.withTimeoutOrNull
import kotlinx.coroutines.yield
import org.junit.jupiter.api.AfterAll
import org.junit.jupiter.api.Assertions.fail
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
    ): Carboy = Carboy.open(config(enrolment), keys, tokens, observer)

    protected fun config(enrolment: Enrolment) =
        Config(folder.toString(), server.address, enrolment.plant, enrolment.account, enrolment.currency)

    /** Runs `day` with the phone of a rider who has just enrolled and has the plant's customers. */
    protected suspend fun <T> withPhone(keys: KeyStore = Keys(), day: suspend (Carboy) -> T): T {
        val enrolment = enrolled(keys)
        return open(enrolment, keys).use { carboy ->
            carboy.syncNow()
            day(carboy)
        }
    }

    /** The same through the hand-written layer, and offline so far. */
    protected suspend fun <T> withRider(keys: KeyStore = Keys(), day: suspend CoroutineScope.(Rider) -> T): T {
        val enrolment = enrolled(keys)
        return Rider.open(config(enrolment), keys, Tokens { enrolment.token }).use { rider ->
            rider.syncNow()
            rider.core.networkChanged(false)
            coroutineScope { day(rider) }
        }
    }

    protected fun path(name: String): String = folder.resolve(name).toString()

    protected fun Carboy.anyCustomer() = customers(limit = 1u).single().customer

    protected val bottle = ProductCode("20L")

    protected fun kes(minor: Long) = Money(minor, "KES")
}

/** The objects that UniFFI keeps alive for the core, by kind. */
fun handles(): List<Int> = listOf(
    FfiConverterTypeObserver.handleMap.size,
    FfiConverterTypeKeyStore.handleMap.size,
    FfiConverterTypeTokenProvider.handleMap.size,
    uniffiContinuationHandleMap.size,
    uniffiForeignFutureHandleCount(),
)

/** Waits for the threads that are just letting go of theirs; those of an earlier test may still have been among them. */
suspend fun untilNoMoreHandlesThan(before: List<Int>) =
    until({ "handles: ${handles()}, and before: $before" }) { handles().zip(before).all { (now, then) -> now <= then } }

/** Waits for what other threads are about to do; says what is `missing` if it does not come. */
suspend fun until(missing: () -> String, isThere: () -> Boolean) {
    withTimeoutOrNull(30_000) { while (!isThere()) yield() } ?: fail(missing())
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
