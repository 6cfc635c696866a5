package app.carboy.rider.day

import androidx.compose.foundation.layout.Arrangement
import androidx.compose.foundation.layout.ExperimentalLayoutApi
import androidx.compose.foundation.layout.FlowRow
import androidx.compose.foundation.lazy.items
import androidx.compose.material3.MaterialTheme
import androidx.compose.material3.Text
import androidx.compose.runtime.Composable
import androidx.compose.runtime.getValue
import androidx.compose.runtime.mutableStateOf
import androidx.compose.runtime.saveable.rememberSaveable
import androidx.compose.runtime.setValue
import androidx.compose.ui.platform.LocalContext
import androidx.compose.ui.res.stringResource
import androidx.compose.ui.unit.dp
import androidx.lifecycle.SavedStateHandle
import androidx.lifecycle.compose.collectAsStateWithLifecycle
import app.carboy.Change
import app.carboy.Record
import app.carboy.rider.Kept
import app.carboy.rider.Phone
import app.carboy.rider.Problem
import app.carboy.rider.R
import app.carboy.rider.ScreenModel
import app.carboy.rider.kindText
import app.carboy.rider.problem
import app.carboy.rider.shareText
import app.carboy.rider.sign
import app.carboy.rider.ui.Ask
import app.carboy.rider.ui.Card
import app.carboy.rider.ui.Hint
import app.carboy.rider.ui.Line
import app.carboy.rider.ui.ListScreen
import app.carboy.rider.ui.Mark
import app.carboy.rider.ui.SideButton
import app.carboy.rider.ui.Write
import app.carboy.rider.ui.write
import kotlinx.coroutines.ExperimentalCoroutinesApi
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.flatMapLatest

private const val PAGE = 20

/** What was recorded on this phone, newest first. */
class RecordsModel(phone: Phone, handle: SavedStateHandle) : ScreenModel(phone, handle) {
    private val keptShown = Kept(handle, "shown", PAGE)

    /** One more than is shown, if there is one. */
    @OptIn(ExperimentalCoroutinesApi::class)
    val records: StateFlow<List<Record>?> = kept(
        keptShown.flow.flatMapLatest { limit -> phone.rider.watch(Change.OUTBOX, Change.ATTENTION) { records(limit = limit.toUInt() + 1u) } },
    )
    val shown: StateFlow<Int> = keptShown.flow
    val plantName: String get() = phone.identity.plantName

    fun showMore() = handle.set("shown", shown.value + PAGE)

    fun withdraw(id: ULong) = recording.again { withdraw(id) }
}

@Composable
fun RecordsScreen(model: RecordsModel, onBack: () -> Unit) {
    val records by model.records.collectAsStateWithLifecycle()
    val shown by model.shown.collectAsStateWithLifecycle()
    val progress by model.recording.progress.collectAsStateWithLifecycle()
    val failure by model.failure.collectAsStateWithLifecycle()
    var asking by rememberSaveable { mutableStateOf<Long?>(null) }
    val write = write()
    ListScreen(stringResource(R.string.records_title), onBack, problem(progress)) {
        failure?.let { item(key = "failure") { Problem(it) } }
        if (records?.isEmpty() == true) item(key = "none") { Hint(stringResource(R.string.records_none)) }
        items(records.orEmpty().take(shown), key = { it.id.toLong() }) { record ->
            RecordCard(record, model.plantName, write) { asking = record.id.toLong() }
        }
        if (records.orEmpty().size > shown) item(key = "more") { SideButton(stringResource(R.string.show_more), model::showMore) }
    }
    asking?.let { id ->
        Ask(write.text(R.string.withdraw_ask), write.text(R.string.withdraw), { model.withdraw(id.toULong()) }, { asking = null }) {
            Line(write.text(R.string.withdraw_hint))
        }
    }
}

@OptIn(ExperimentalLayoutApi::class)
@Composable
private fun RecordCard(record: Record, plantName: String, write: Write, onWithdraw: () -> Unit) = Card {
    val context = LocalContext.current
    FlowRow(horizontalArrangement = Arrangement.spacedBy(16.dp)) {
        Text(write.text(kindText(record.kind)), style = MaterialTheme.typography.titleMedium)
        if (record.amount.minor != 0L) Text(write.signed(record.amount), style = MaterialTheme.typography.titleMedium)
    }
    if (record.customerName.isNotEmpty()) Line(record.customerName)
    record.at?.let { Hint(write.moment(it)) }
    if (record.code.isNotEmpty()) Hint(write.text(R.string.receipt_code, write.code(record.code)))
    val sign = record.state.sign()
    Mark(sign.icon, write.text(if (record.withdrawn) R.string.mark_withdrawn else sign.text))
    if (record.customerName.isNotEmpty() && record.code.isNotEmpty()) {
        SideButton(write.text(R.string.receipt_share), { context.shareText(text(record, plantName, write)) }, icon = R.drawable.ic_share)
    }
    if (record.canWithdraw) SideButton(write.text(R.string.withdraw), onWithdraw)
}

/** A record as text, for whom it is about. */
private fun text(record: Record, plantName: String, write: Write): String = listOfNotNull(
    plantName,
    write.name(record.customerName),
    record.at?.let(write::moment),
    write.text(kindText(record.kind)),
    write.signed(record.amount).takeIf { record.amount.minor != 0L },
    write.text(R.string.mark_withdrawn).takeIf { record.withdrawn },
    write.text(R.string.receipt_code, write.code(record.code)),
).joinToString("\n")
