package app.carboy.rider.waiting

import androidx.compose.foundation.lazy.items
import androidx.compose.material3.MaterialTheme
import androidx.compose.material3.Text
import androidx.compose.runtime.Composable
import androidx.compose.runtime.getValue
import androidx.compose.ui.res.stringResource
import androidx.lifecycle.SavedStateHandle
import androidx.lifecycle.compose.collectAsStateWithLifecycle
import androidx.lifecycle.viewModelScope
import app.carboy.CarboyException
import app.carboy.Change
import app.carboy.Record
import app.carboy.RiderClosedException
import app.carboy.Status
import app.carboy.SyncState
import app.carboy.rider.Phone
import app.carboy.rider.Problem
import app.carboy.rider.R
import app.carboy.rider.ScreenModel
import app.carboy.rider.kindText
import app.carboy.rider.sign
import app.carboy.rider.ui.Card
import app.carboy.rider.ui.Hint
import app.carboy.rider.ui.Line
import app.carboy.rider.ui.ListScreen
import app.carboy.rider.ui.MainButton
import app.carboy.rider.ui.Mark
import app.carboy.rider.ui.Notice
import app.carboy.rider.ui.SideButton
import app.carboy.rider.ui.Tone
import app.carboy.rider.ui.write
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow
import kotlinx.coroutines.launch

/** As many of those that wait as anybody looks through. */
private const val LISTED = 200u

/** What is waiting to be sent. */
class WaitingModel(phone: Phone, handle: SavedStateHandle) : ScreenModel(phone, handle) {
    private val sending = MutableStateFlow(false)

    val waiting: StateFlow<List<Record>?> = shown(Change.OUTBOX) { waiting(limit = LISTED) }
    val status: StateFlow<Status> = phone.rider.status

    /** Whether the rider has asked for it to be sent now. */
    val isSending: StateFlow<Boolean> = sending.asStateFlow()

    fun sendNow() {
        if (!sending.compareAndSet(expect = false, update = true)) return
        viewModelScope.launch {
            try {
                phone.rider.syncNow()
            } catch (_: CarboyException) {
                // The status on this very screen says why.
            } catch (_: RiderClosedException) {
                // Signed out meanwhile: this screen goes too.
            } finally {
                sending.value = false
            }
        }
    }
}

@Composable
fun WaitingScreen(model: WaitingModel, onBack: () -> Unit, onSignIn: () -> Unit) {
    val waiting by model.waiting.collectAsStateWithLifecycle()
    val status by model.status.collectAsStateWithLifecycle()
    val isSending by model.isSending.collectAsStateWithLifecycle()
    val failure by model.failure.collectAsStateWithLifecycle()
    val write = write()
    ListScreen(
        stringResource(R.string.waiting_title),
        onBack,
        actions = {
            if (status.state == SyncState.NeedsSignIn) SideButton(write.text(R.string.sign_in_again), onSignIn)
            val text = write.text(if (isSending) R.string.sending_now else R.string.send_now)
            MainButton(text, model::sendNow, enabled = !isSending && status.state != SyncState.Offline)
        },
    ) {
        failure?.let { item(key = "failure") { Problem(it) } }
        item(key = "sum") {
            val (tone, icon) = if (status.pending == 0uL) Tone.Good to R.drawable.ic_settled else Tone.Plain to R.drawable.ic_waiting
            Notice(waitingText(status, write), tone, icon)
        }
        item(key = "state") { Line(write.text(stateText(status.state))) }
        if (status.photos > 0u) item(key = "photos") { Line(write.many(R.plurals.photos_waiting, status.photos.toLong())) }
        status.lastContact?.let { at -> item(key = "contact") { Hint(write.text(R.string.last_contact, write.moment(at))) } }
        items(waiting.orEmpty(), key = { it.id.toLong() }) { record ->
            Card {
                Text(write.text(kindText(record.kind)), style = MaterialTheme.typography.titleMedium)
                if (record.customerName.isNotEmpty()) Line(record.customerName)
                record.at?.let { Hint(write.moment(it)) }
                val sign = record.state.sign()
                Mark(sign.icon, write.text(sign.text))
            }
        }
    }
}
