package app.carboy.rider.waiting

import androidx.annotation.PluralsRes
import androidx.compose.foundation.layout.padding
import androidx.compose.runtime.Composable
import androidx.compose.runtime.getValue
import androidx.compose.runtime.produceState
import androidx.compose.ui.Modifier
import androidx.compose.ui.unit.dp
import androidx.lifecycle.compose.collectAsStateWithLifecycle
import app.carboy.Status
import app.carboy.SyncState
import app.carboy.WaitReason
import app.carboy.rider.Phone
import app.carboy.rider.R
import app.carboy.rider.ui.Notice
import app.carboy.rider.ui.Tone
import app.carboy.rider.ui.Write
import app.carboy.rider.ui.write
import java.time.Duration
import java.time.Instant
import kotlinx.coroutines.delay

/** How often the age of what waits is counted on. */
private const val MINUTE_MILLIS = 60_000L

/** One line under the main screens: is everything sent, and does anything need the rider? */
@Composable
fun SyncStrip(phone: Phone, onWaiting: () -> Unit, onAttention: () -> Unit) {
    val status by phone.rider.status.collectAsStateWithLifecycle()
    val storageLow by phone.shell.storageLow.collectAsStateWithLifecycle()
    val write = write()
    val modifier = Modifier.padding(horizontal = 8.dp, vertical = 4.dp)
    val needed = needed(status)
    when {
        status.attention > 0u ->
            Notice(write.many(R.plurals.attention_count, status.attention.toLong()), Tone.Bad, R.drawable.ic_attention, modifier, onAttention)
        needed != null -> Notice(write.text(needed), Tone.Bad, R.drawable.ic_attention, modifier, onWaiting)
        storageLow -> Notice(write.text(R.string.storage_low), Tone.Bad, R.drawable.ic_attention, modifier, onWaiting)
        status.pending > 0u -> Notice(waitingText(status, write, R.plurals.waiting_short), Tone.Plain, R.drawable.ic_waiting, modifier, onWaiting)
        else -> Notice(write.text(R.string.all_sent), Tone.Good, R.drawable.ic_settled, modifier, onWaiting)
    }
}

private fun needed(status: Status): Int? = when (status.state) {
    SyncState.NeedsSignIn -> R.string.state_needs_sign_in
    SyncState.NeedsUpgrade -> R.string.state_needs_upgrade
    else -> null
}

/** "12 waiting, oldest 2 h 03 min, all safe on this phone", counted on while it is looked at. */
@Composable
fun waitingText(status: Status, write: Write, @PluralsRes text: Int = R.plurals.waiting): String {
    if (status.pending == 0uL) return write.text(R.string.all_sent)
    val age by produceState(status.oldestAge, status) {
        while (true) {
            value = age(status)
            delay(MINUTE_MILLIS)
        }
    }
    return write.many(text, status.pending.toLong(), write.span(age))
}

/** How long the oldest has waited: as the core said, or longer by now. A clock that was set back does not count. */
private fun age(status: Status): Duration {
    val since = status.oldestPending?.let { Duration.between(it, Instant.now()) } ?: Duration.ZERO
    return maxOf(since, status.oldestAge)
}

/** What the exchange with the server is doing, in a sentence. */
fun stateText(state: SyncState): Int = when (state) {
    SyncState.Idle -> R.string.state_idle
    SyncState.Sending -> R.string.state_sending
    SyncState.Offline, SyncState.Paused -> R.string.state_offline
    SyncState.NeedsSignIn -> R.string.state_needs_sign_in
    SyncState.NeedsUpgrade -> R.string.state_needs_upgrade
    is SyncState.Waiting -> when (state.reason) {
        WaitReason.LINK -> R.string.state_link
        WaitReason.BUSY -> R.string.state_busy
        WaitReason.TOKEN -> R.string.state_token
        WaitReason.SERVER -> R.string.state_server
        WaitReason.STORE -> R.string.state_store
    }
}
