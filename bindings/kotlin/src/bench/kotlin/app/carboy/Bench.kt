/**
 * The other side of `cargo xtask bench kotlin`: does what it is told, line by line, and says how long each took, in
 * nanoseconds. It opens the store when it first needs it, alone or as a rider. Its arguments: FOLDER PLANT ACCOUNT CURRENCY CUSTOMER
 */
package app.carboy

import com.sun.jna.Native
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withContext

private object NoKeys : KeyStore {
    override fun load(name: String): ByteArray? = null

    override fun save(name: String, secret: ByteArray) = Unit

    override fun remove(name: String) = Unit
}

private object Nobody : TokenProvider {
    override suspend fun token(refresh: Boolean): String = throw TokenException.SignedOut()
}

fun main(arguments: Array<String>) = runBlocking<Unit> {
    val (folder, plant, account, currency, customerId) = arguments
    val config = Config(folder, "http://127.0.0.1:9", PlantId(plant), AccountId(account), currency)
    val customer = CustomerId(customerId)
    val amount = Money(15_000, currency)
    var core: Carboy? = null
    var rider: Rider? = null
    fun core(): Carboy {
        rider?.close().also { rider = null }
        return core ?: Carboy.open(config, NoKeys, Nobody, null).also { core = it.offline() }
    }
    suspend fun rider(): Rider {
        core?.close().also { core = null }
        return rider ?: Rider.open(config, NoKeys, Nobody).also { it.core.offline() }.also { rider = it }
    }
    // Coroutines, with their threads, are in every app: none of the core's doing.
    withContext(Dispatchers.IO) {}
    while (true) {
        val (what, count) = readlnOrNull()?.split(' ') ?: break
        val times = List(count.toInt()) {
            when (what) {
                "nothing" -> time {}
                "jna" -> time { Native.toByteArray("") }
                "bindings" -> time { uniffiEnsureInitialized() }
                "screen" -> time { rider().core.firstScreen() }.also { rider().close() }.also { rider = null }
                "empty" -> time { repeat(1_000) { IntegrityCheckingUniffiLib.ffi_carboy_uniffi_contract_version() } }
                "cash" -> core().let { core -> time { core.collectCash(customer, amount) } }
                "record" -> rider().let { rider -> time { rider.record { collectCash(customer, amount) } } }
                "route" -> core().let { core -> core.routes().first().route.let { time { core.stops(it) } } }
                else -> error("unknown: $what")
            }
        }
        println(times.joinToString(" "))
        System.out.flush()
    }
    core?.close()
    rider?.close()
}

private fun Carboy.offline() = also { it.networkChanged(false) }

/** What a rider sees first; the status is read by opening already. */
private fun Carboy.firstScreen() = stops(routes().first().route)

private inline fun time(work: () -> Unit): Long {
    val start = System.nanoTime()
    work()
    return System.nanoTime() - start
}
