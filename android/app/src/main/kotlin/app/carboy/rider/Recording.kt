package app.carboy.rider

import androidx.lifecycle.SavedStateHandle
import app.carboy.Carboy
import app.carboy.CarboyException
import app.carboy.Change
import app.carboy.Record
import app.carboy.RiderClosedException
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow
import kotlinx.coroutines.launch

private const val BEFORE = "recording.before"
private const val LAST = "recording.last"

/** How it stands with what a screen records. */
sealed interface Progress {
    /** It is being found out whether this screen has recorded already. */
    data object Opening : Progress

    /** Nothing is recorded yet. */
    data object Ready : Progress

    /** The tap was heard; the phone's storage is at it. */
    data object Saving : Progress

    /** Nothing was recorded, and why. */
    data class Failed(val error: CarboyException) : Progress

    /** It is on the phone: these records, oldest first. */
    data class Saved(val records: List<Record>) : Progress
}

/**
 * One screen records once, however often its button is tapped, and even if the process is killed between the tap and
 * the answer: the records that are newer than the screen tell.
 *
 * Made and used on the main thread; the phone's storage is never waited for there.
 */
class Recording(private val phone: Phone, private val handle: SavedStateHandle, private val scope: CoroutineScope) {
    private val now = MutableStateFlow<Progress>(Progress.Opening)
    /** The number of the phone's last record; unknown until the store was asked. */
    private var newest: Long? = null

    val progress: StateFlow<Progress> = now.asStateFlow()

    init {
        // A store that cannot be read cannot be written either: the screen's own queries say why.
        scope.launch { attempt { phone.rider.watch(Change.OUTBOX) { newestId() }.collect(::found) } }
    }

    private suspend fun found(id: Long) {
        newest = id
        if (now.value != Progress.Opening) return
        val before = handle.get<Long>(BEFORE)
        now.value = if (before == null || before == id) Progress.Ready else saved(before)
    }

    /** Records by [action] on a screen that stays and records again; for what the core refuses a second time. */
    fun again(action: Carboy.() -> Unit) {
        if (now.value is Progress.Saved) {
            listOf(BEFORE, LAST).forEach { handle.remove<Long>(it) }
            now.value = Progress.Ready
        }
        record(action)
    }

    /** Records by [action]; a second tap is not heard. */
    fun record(action: Carboy.() -> Unit) {
        val before = newest ?: return
        if (now.value != Progress.Ready && now.value !is Progress.Failed) return
        now.value = Progress.Saving
        handle[BEFORE] = before
        scope.launch {
            val failure = attempt {
                phone.rider.record {
                    try {
                        action()
                    } finally {
                        // Within the call, which goes on when the screen is left.
                        phone.shell.acted()
                    }
                }
            }
            attempt { now.value = saved(before).takeIf { it.records.isNotEmpty() } ?: notSaved(failure) }
                ?.let { now.value = notSaved(failure) }
        }
    }

    /** Why it failed; null if it did not. */
    private suspend fun attempt(work: suspend () -> Unit): CarboyException? = try {
        work()
        null
    } catch (error: CarboyException) {
        error
    } catch (error: RiderClosedException) {
        CarboyException.SignedOut("$error")
    }

    /** What was recorded since number [before] by this screen: as far as it had come when it was first looked at. */
    private suspend fun saved(before: Long): Progress.Saved {
        val since = phone.rider.ask { records(limit = 50u) }.filter { it.id.toLong() > before }.asReversed()
        val last = handle.get<Long>(LAST) ?: since.lastOrNull()?.id?.toLong()?.also { handle[LAST] = it }
        return Progress.Saved(since.filter { last == null || it.id.toLong() <= last })
    }

    private fun notSaved(failure: CarboyException?): Progress {
        handle.remove<Long>(BEFORE)
        // An action that makes no record, such as dealing with a damaged file, is done all the same.
        return if (failure == null) Progress.Saved(listOf()) else Progress.Failed(failure)
    }
}

private fun Carboy.newestId(): Long = records(limit = 1u).firstOrNull()?.id?.toLong() ?: 0
