package app.carboy

import java.lang.ref.WeakReference
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import org.junit.jupiter.api.Test

/** What crosses the border often leaves nothing behind: handles, threads, memory. */
class LeakTest : ServerTest() {
    private val keys = Keys()

    /** Never gets as far as a request, so that a round of it costs no network. */
    private val tokens = Tokens { throw TokenException.SignedOut() }

    private fun heap(): Long {
        System.gc()
        return Runtime.getRuntime().run { totalMemory() - freeMemory() }
    }

    private suspend fun Rider.toggle(times: Int) = repeat(times) {
        core.networkChanged(true)
        withTimeout(10_000) { status.first { it.state == SyncState.NeedsSignIn } }
        core.networkChanged(false)
        withTimeout(10_000) { status.first { it.state == SyncState.Offline } }
    }

    @Test
    fun `ten thousand calls of the observer leave no handle, no thread and no memory`() = runBlocking<Unit> {
        val before = handles()
        val enrolment = enrolled(keys)
        Rider.open(config(enrolment), keys, tokens).use { rider ->
            rider.toggle(200)
            val (handles, threads, heap) = Triple(handles(), Thread.activeCount(), heap())
            // Each of the two changes is seen before the next one comes: none is coalesced with it.
            rider.toggle(5_000)
            untilNoMoreHandlesThan(handles)
            until({ "$threads threads, then ${Thread.activeCount()}" }) { Thread.activeCount() <= threads + 2 }
            // What runs beside it allocates too: what is leaked is what no collection brings back.
            until({ "the heap grew by ${heap() - heap} bytes" }) { heap() - heap < 1_000_000 }
        }
        untilNoMoreHandlesThan(before)
    }

    @Test
    fun `collectors that come and go leave nothing behind`() = runBlocking<Unit> {
        val before = handles()
        val enrolment = enrolled(keys)
        Rider.open(config(enrolment), keys, tokens).use { rider ->
            untilCollected(shown(rider))
        }
        untilNoMoreHandlesThan(before)
    }

    // A function of its own, as `forgotten` is: the coroutine that waits for the garbage collector would keep alive
    // whatever was a local variable of it at its last suspension.
    private suspend fun shown(rider: Rider) = coroutineScope {
        val screen = Any()
        repeat(1_000) {
            val collector = launch(Dispatchers.IO) { rider.watch { screen.hashCode() to day() }.collect {} }
            if (it % 10 == 0) rider.record { addCustomer(mapOf(Field.NAME to "$it")) }
            collector.cancelAndJoin()
        }
        WeakReference(screen)
    }

    @Test
    fun `a rider that was forgotten unclosed goes, and takes its core along`() = runBlocking<Unit> {
        val before = handles()
        val enrolment = enrolled(keys)
        untilCollected(forgotten(enrolment))
        untilNoMoreHandlesThan(before)
    }

    private suspend fun forgotten(enrolment: Enrolment) =
        WeakReference(Rider.open(config(enrolment), keys, tokens).also { it.toggle(1) })

    private suspend fun untilCollected(reference: WeakReference<*>) = until({ "it is still held" }) {
        System.gc()
        reference.refersTo(null)
    }
}
