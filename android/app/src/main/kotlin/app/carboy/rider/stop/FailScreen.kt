package app.carboy.rider.stop

import androidx.compose.runtime.Composable
import androidx.compose.runtime.getValue
import androidx.compose.ui.res.stringResource
import androidx.lifecycle.SavedStateHandle
import androidx.lifecycle.compose.collectAsStateWithLifecycle
import app.carboy.FailReason
import app.carboy.StopProgress
import app.carboy.rider.Kept
import app.carboy.rider.Phone
import app.carboy.rider.R
import app.carboy.rider.RecordForm
import app.carboy.rider.ScreenModel
import app.carboy.rider.text
import app.carboy.rider.ui.Choices
import app.carboy.rider.ui.Field
import app.carboy.rider.ui.Hint
import kotlinx.coroutines.flow.StateFlow

/** The longest text that the core takes, in bytes; in characters it is shorter in most scripts. */
const val LONGEST_TEXT = 500

/** [this] without what the core would not take. */
fun String.fitting(): String {
    var end = length
    while (substring(0, end).encodeToByteArray().size > LONGEST_TEXT) end--
    return substring(0, end)
}

/** A stop visited in vain: why, and more about it. */
class FailModel(phone: Phone, handle: SavedStateHandle) : ScreenModel(phone, handle) {
    private val keptReason = Kept(handle, "reason", "")
    private val keptNote = Kept(handle, "note", "")

    /** The name of the [FailReason], or [SKIP]; empty while nothing was chosen. */
    val reason: StateFlow<String> = keptReason.flow
    val note: StateFlow<String> = keptNote.flow

    fun choose(reason: String) = handle.set("reason", reason)

    fun type(note: String) = handle.set("note", note.fitting())

    fun save() {
        val (customer, why) = customerId to reason.value
        val more = note.value.trim().ifEmpty { null }
        recording.record {
            if (why == SKIP) noteProgress(customer, StopProgress.SKIPPED) else failDelivery(customer, FailReason.valueOf(why), more)
        }
    }

    companion object {
        /** Chosen for a stop that is passed over this time. */
        const val SKIP = "SKIP"
    }
}

/** Why it failed. */
@Composable
fun FailScreen(model: FailModel, onBack: () -> Unit, onSaved: () -> Unit) {
    val reason by model.reason.collectAsStateWithLifecycle()
    val note by model.note.collectAsStateWithLifecycle()
    // Something else has to be told.
    val isTold = reason.isNotEmpty() && (reason != FailReason.OTHER.name || note.isNotBlank())
    RecordForm(
        model,
        stringResource(R.string.fail_title),
        onBack,
        stringResource(R.string.save),
        model::save.takeIf { isTold },
        onSaved,
    ) {
        val reasons = FailReason.entries.map { it.name to stringResource(it.text()) }
        Choices(reasons + (FailModel.SKIP to stringResource(R.string.fail_skip)), reason, model::choose)
        if (reason == FailReason.OTHER.name) Hint(stringResource(R.string.fail_other_hint))
        if (reason != FailModel.SKIP) Field(stringResource(R.string.fail_note), note, model::type, lines = 2)
    }
}
