/**
 * The other side of `cargo xtask bench kotlin`: does what it is told, line by line, and says how long each took, in
 * nanoseconds. It opens the store when it first needs it. Its arguments: FOLDER PLANT ACCOUNT CURRENCY CUSTOMER
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
    val (folder, plant, account, currency, customer) = arguments
    val config = Config(folder, "http://127.0.0.1:9", PlantId(plant), AccountId(account), currency)
    val amount = Money(15_000, currency)
    suspend fun open() = Rider.open(config, NoKeys, Nobody).also { it.core.networkChanged(false) }
    var opened: Rider? = null
    suspend fun core() = (opened ?: open().also { opened = it }).core
    // Coroutines, with their threads, are in every app: none of the core's doing.
    withContext(Dispatchers.IO) {}
    while (true) {
        val (what, count) = readlnOrNull()?.split(' ') ?: break
        val times = List(count.toInt()) {
            when (what) {
                "nothing" -> time {}
                "jna" -> time { Native.toByteArray("") }
                "screen" -> {
                    var rider: Rider? = null
                    time { rider = open().also { it.core.firstScreen() } }.also { rider?.close() }
                }
                "cash" -> core().let { core -> time { core.collectCash(CustomerId(customer), amount) } }
                "route" -> core().let { core -> core.routes().first().route.let { time { core.stops(it) } } }
                else -> error("unknown: $what")
            }
        }
        println(times.joinToString(" "))
        System.out.flush()
    }
    opened?.close()
}

/** What a rider sees first; the status is read by opening already. */
private fun Carboy.firstScreen() = stops(routes().first().route)

private inline fun time(work: () -> Unit): Long {
    val start = System.nanoTime()
    work()
    return System.nanoTime() - start
}
