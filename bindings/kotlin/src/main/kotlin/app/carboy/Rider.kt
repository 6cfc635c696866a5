/** One signed-in rider as coroutines and flows, over the generated [Carboy]. */
package app.carboy

import java.lang.ref.WeakReference
import java.time.Duration
import kotlinx.coroutines.CancellationException
import kotlinx.coroutines.CompletableDeferred
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.NonCancellable
import kotlinx.coroutines.async
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.currentCoroutineContext
import kotlinx.coroutines.ensureActive
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow
import kotlinx.coroutines.flow.conflate
import kotlinx.coroutines.flow.distinctUntilChanged
import kotlinx.coroutines.flow.flowOn
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.flow.transformWhile
import kotlinx.coroutines.flow.update
import kotlinx.coroutines.selects.select
import kotlinx.coroutines.withContext

/** A call came after its [Rider] was closed. Nothing was done. */
class RiderClosedException(cause: Throwable? = null) : IllegalStateException("this rider was closed", cause)

/**
 * One signed-in rider: the core, its observables and coroutines. One per account and process.
 *
 * Everything fails with [CarboyException] as the core does, and with [RiderClosedException] after [close].
 *
 * @property core for calls that need no thread of their own: `networkChanged`, `foregrounded`, `signedIn`, `pause`,
 *   `resume`
 */
class Rider private constructor(val core: Carboy) : AutoCloseable {
    /** How often each kind of change came, by its place in [Change]; null once there will be no more. */
    private val changes = MutableStateFlow<List<Long>?>(Change.entries.map { 0L })
    private val closed = CompletableDeferred<Nothing>()
    private val newest = MutableStateFlow(core.status())

    /**
     * What is waiting to be sent, and why; always the newest. `oldestAge` is as of then: a screen that shows it for
     * longer counts on from `oldestPending`.
     */
    val status: StateFlow<Status> = newest.asStateFlow()

    /**
     * What `query` answers: at once, and again after each change of the kinds `on` (of any kind if none is named) that
     * makes it another answer. A slow collector gets the newest and misses those between. The query runs off the main
     * thread, for each collector by itself.
     *
     * Ends when the rider is closed or signed out; fails as the query does.
     */
    fun <T> watch(vararg on: Change, query: Carboy.() -> T): Flow<T> {
        val kinds = on.ifEmpty { Change.entries.toTypedArray() }.map { it.ordinal }
        return changes
            .map { counts -> counts?.let { kinds.sumOf(counts::get) } }
            .distinctUntilChanged()
            .transformWhile { count -> count != null && answer(query)?.let { emit(it.value) } != null }
            .flowOn(Dispatchers.IO)
            .conflate()
            .distinctUntilChanged()
    }

    /** One query or more, off the main thread. */
    suspend fun <T> ask(query: Carboy.() -> T): T = withContext(Dispatchers.IO) { call(query) }

    /**
     * One action, off the main thread: it is on the phone when this returns. Cancelled before it begins, it is not
     * done; cancelled later, it is done all the same.
     */
    suspend fun <T> record(action: Carboy.() -> T): T {
        currentCoroutineContext().ensureActive()
        return withContext(NonCancellable + Dispatchers.IO) { call(action) }
    }

    /**
     * Exchanges everything with the server now, and returns when nothing is left to do at once. Cancelling stops the
     * waiting, not the exchange.
     */
    suspend fun syncNow(): SyncReport = exchange { syncNow() }

    /**
     * Exchanges as much as possible within `window`, for work in the background; see [Carboy.drainFor]. Cancelling
     * stops the waiting, not the exchange.
     */
    suspend fun drainFor(window: Duration): SyncReport = exchange { drainFor(window) }

    /**
     * Signs the account out and closes this rider; forget the token then. Cancelled before the decision, nothing has
     * changed.
     *
     * @throws CarboyException.PendingWork if `choice` wants everything sent and it is not; nothing has changed then
     */
    suspend fun signOut(choice: SignOut): SignedOut {
        val signedOut = exchange { signOut(choice) }
        withContext(NonCancellable + Dispatchers.IO) { close() }
        return signedOut
    }

    /**
     * Lets go of the core: its file and threads go with the last call under way. Flows end, and who waits for an
     * exchange gets [RiderClosedException]. What was recorded stays. May wait a moment; a second time does nothing.
     */
    override fun close() {
        changes.value = null
        closed.completeExceptionally(RiderClosedException())
        core.close()
    }

    private val isClosed get() = changes.value == null

    private fun changed(kinds: List<Change>) {
        if (isClosed) return
        // Asked anew if another thread was faster: an older status never takes a newer one's place.
        newest.update { core.status() }
        changes.update { counts -> counts?.zip(Change.entries) { count, kind -> if (kind in kinds) count + 1 else count } }
    }

    private inline fun <T> call(block: Carboy.() -> T): T {
        // The core itself takes calls until the last one under way is done, and without a gap that may be never.
        if (isClosed) throw RiderClosedException()
        try {
            return core.block()
        } catch (error: IllegalStateException) {
            throw if (isClosed && error !is CancellationException) RiderClosedException(error) else error
        }
    }

    private class Answer<T>(val value: T)

    /** The answer; null once there will be no more. */
    private fun <T> answer(query: Carboy.() -> T): Answer<T>? = try {
        Answer(call(query))
    } catch (_: RiderClosedException) {
        null
    } catch (_: CarboyException.SignedOut) {
        null
    }

    private suspend fun <T> exchange(work: suspend Carboy.() -> T): T = coroutineScope {
        // A part of it runs on the caller's thread, and may write.
        val result = async(Dispatchers.IO) { call { work() } }
        select {
            result.onAwait { it }
            closed.onAwait { it }
        }
    }

    /**
     * What the core tells, on a thread of the core's. It holds the rider weakly: the core holds it, and a rider that
     * the app forgot to close would never go.
     */
    private class Notices : Observer {
        @Volatile
        var rider = WeakReference<Rider>(null)

        override fun changed(changes: List<Change>) {
            rider.get()?.changed(changes)
        }
    }

    companion object {
        /**
         * Opens the account's store off the main thread; see [Carboy.open] for what it fails with. A caller that is
         * cancelled meanwhile leaves nothing open.
         */
        suspend fun open(config: Config, keys: KeyStore, tokens: TokenProvider): Rider {
            var rider: Rider? = null
            try {
                return withContext(Dispatchers.IO) { opened(config, keys, tokens).also { rider = it } }
            } catch (cancelled: CancellationException) {
                rider?.close()
                throw cancelled
            }
        }

        private fun opened(config: Config, keys: KeyStore, tokens: TokenProvider): Rider {
            val notices = Notices()
            val core = Carboy.open(config, keys, tokens, notices)
            try {
                val rider = Rider(core)
                notices.rider = WeakReference(rider)
                // What came between the first status and this.
                rider.changed(Change.entries)
                return rider
            } catch (failed: CarboyException) {
                core.close()
                throw failed
            }
        }
    }
}
