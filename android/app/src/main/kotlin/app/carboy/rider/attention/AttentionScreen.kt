package app.carboy.rider.attention

import androidx.compose.foundation.lazy.items
import androidx.compose.material3.MaterialTheme
import androidx.compose.material3.Text
import androidx.compose.runtime.Composable
import androidx.compose.runtime.getValue
import androidx.compose.ui.res.stringResource
import androidx.lifecycle.SavedStateHandle
import androidx.lifecycle.compose.collectAsStateWithLifecycle
import app.carboy.Attention
import app.carboy.Change
import app.carboy.Choice
import app.carboy.Keep
import app.carboy.LostEdit
import app.carboy.Refused
import app.carboy.Role
import app.carboy.Value
import app.carboy.rider.Phone
import app.carboy.rider.Problem
import app.carboy.rider.R
import app.carboy.rider.ScreenModel
import app.carboy.rider.customer.Fact
import app.carboy.rider.kindText
import app.carboy.rider.problem
import app.carboy.rider.reasonText
import app.carboy.rider.text
import app.carboy.rider.ui.Card
import app.carboy.rider.ui.Hint
import app.carboy.rider.ui.Line
import app.carboy.rider.ui.ListScreen
import app.carboy.rider.ui.Notice
import app.carboy.rider.ui.Part
import app.carboy.rider.ui.SideButton
import app.carboy.rider.ui.Tone
import app.carboy.rider.ui.Write
import app.carboy.rider.ui.write
import kotlinx.coroutines.flow.StateFlow

/** As many as anybody looks through; the next ones come up when these are dealt with. */
private const val LISTED = 100u

/** The number of what concerns the file itself. */
private const val FILE = 0uL

/** What needs the rider. */
class AttentionModel(phone: Phone, handle: SavedStateHandle) : ScreenModel(phone, handle) {
    val items: StateFlow<List<Attention>?> = shown(Change.ATTENTION, Change.OUTBOX) { attention(limit = LISTED) }

    fun retry(id: ULong) = recording.again { retry(id) }

    fun withdraw(id: ULong) = recording.again { withdraw(id) }

    fun accept(id: ULong) = recording.again { accept(id) }

    fun keep(edit: LostEdit, which: Keep) = recording.again { settleEdit(edit.customer, edit.field, which) }
}

@Composable
fun AttentionScreen(model: AttentionModel, onBack: () -> Unit, onCorrect: (ULong) -> Unit) {
    val found by model.items.collectAsStateWithLifecycle()
    val progress by model.recording.progress.collectAsStateWithLifecycle()
    val failure by model.failure.collectAsStateWithLifecycle()
    val write = write()
    ListScreen(stringResource(R.string.attention_title), onBack, problem(progress)) {
        failure?.let { item(key = "failure") { Problem(it) } }
        if (found?.isEmpty() == true) {
            item(key = "none") { Notice(write.text(R.string.attention_none), Tone.Good, R.drawable.ic_settled) }
        }
        items(found.orEmpty(), key = ::key) { item ->
            when (item) {
                is Attention.Mutation -> RefusedCard(item.refused, model, write, onCorrect)
                is Attention.Edit -> EditCard(item.lost, model, write)
                is Attention.File -> FileCard(model, write)
            }
        }
    }
}

private fun key(item: Attention): String = when (item) {
    is Attention.Mutation -> "${item.refused.id}"
    is Attention.Edit -> "${item.lost.customer} ${item.lost.field}"
    is Attention.File -> "$FILE"
}

@Composable
private fun RefusedCard(refused: Refused, model: AttentionModel, write: Write, onCorrect: (ULong) -> Unit) = Card {
    Text(write.text(kindText(refused.kind)), style = MaterialTheme.typography.titleMedium)
    if (refused.customerName.isNotEmpty()) Line(refused.customerName)
    refused.at?.let { Hint(write.moment(it)) }
    recorded(refused.body, write)?.let { Line(it) }
    Notice(write.text(reasonText(refused.reason)), Tone.Bad, R.drawable.ic_attention)
    for (choice in refused.choices) {
        when (choice) {
            Choice.RETRY -> SideButton(write.text(R.string.attention_retry), { model.retry(refused.id) })
            Choice.CORRECT ->
                if (isCorrectable(refused.kind)) SideButton(write.text(R.string.attention_correct), { onCorrect(refused.id) })
            Choice.WITHDRAW -> SideButton(write.text(R.string.attention_withdraw), { model.withdraw(refused.id) })
            Choice.ACCEPT -> SideButton(write.text(R.string.attention_accept), { model.accept(refused.id) })
        }
    }
}

@Composable
private fun EditCard(edit: LostEdit, model: AttentionModel, write: Write) = Card {
    Text(write.text(R.string.conflict_title, write.text(edit.field.text())), style = MaterialTheme.typography.titleMedium)
    Line(edit.customerName)
    Hint(write.text(R.string.attention_edit))
    Version(edit.shown, write, write.text(R.string.attention_keep_shown)) { model.keep(edit, Keep.SHOWN) }
    Version(edit.mine, write, write.text(R.string.attention_keep_mine)) { model.keep(edit, Keep.MINE) }
}

@Composable
private fun Version(value: Value, write: Write, keep: String, onKeep: () -> Unit) {
    val who = write.text(if (value.role == Role.MANAGER) R.string.by_manager else R.string.by_rider)
    Fact(write.text(R.string.who_when, who, write.moment(value.at)), write.name(value.value))
    SideButton(keep, onKeep)
}

@Composable
private fun FileCard(model: AttentionModel, write: Write) = Card {
    Part(write.text(R.string.attention_file))
    Line(write.text(R.string.attention_file_text))
    SideButton(write.text(R.string.attention_file_ok), { model.accept(FILE) })
}
