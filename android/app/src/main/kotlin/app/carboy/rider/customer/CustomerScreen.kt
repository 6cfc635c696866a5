package app.carboy.rider.customer

import androidx.compose.foundation.layout.Arrangement
import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.ExperimentalLayoutApi
import androidx.compose.foundation.layout.FlowRow
import androidx.compose.foundation.lazy.LazyListScope
import androidx.compose.foundation.lazy.items
import androidx.compose.material3.MaterialTheme
import androidx.compose.material3.Text
import androidx.compose.runtime.Composable
import androidx.compose.runtime.getValue
import androidx.compose.ui.Modifier
import androidx.compose.ui.platform.LocalContext
import androidx.compose.ui.res.stringResource
import androidx.compose.ui.semantics.semantics
import androidx.compose.ui.unit.dp
import androidx.lifecycle.SavedStateHandle
import androidx.lifecycle.compose.collectAsStateWithLifecycle
import app.carboy.Change
import app.carboy.Conflict
import app.carboy.Customer
import app.carboy.CustomerId
import app.carboy.HistoryLine
import app.carboy.Role
import app.carboy.Settlement
import app.carboy.rider.Kept
import app.carboy.rider.Phone
import app.carboy.rider.Problem
import app.carboy.rider.R
import app.carboy.rider.ScreenModel
import app.carboy.rider.dial
import app.carboy.rider.kindText
import app.carboy.rider.sign
import app.carboy.rider.text
import app.carboy.rider.ui.Card
import app.carboy.rider.ui.Hint
import app.carboy.rider.ui.Line
import app.carboy.rider.ui.ListScreen
import app.carboy.rider.ui.MainButton
import app.carboy.rider.ui.Mark
import app.carboy.rider.ui.Notice
import app.carboy.rider.ui.Part
import app.carboy.rider.ui.SideButton
import app.carboy.rider.ui.Tone
import app.carboy.rider.ui.Write
import app.carboy.rider.ui.balance
import app.carboy.rider.ui.write
import kotlinx.coroutines.ExperimentalCoroutinesApi
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.flatMapLatest

private const val PAGE = 20

/** @property more whether there is more history than this */
data class CustomerView(val customer: Customer, val history: List<HistoryLine>, val more: Boolean)

/** A customer: what is owed, what was done, who to call. */
class CustomerModel(phone: Phone, handle: SavedStateHandle) : ScreenModel(phone, handle) {
    private val keptShown = Kept(handle, "history", PAGE)

    @OptIn(ExperimentalCoroutinesApi::class)
    val view: StateFlow<CustomerView?> = kept(
        keptShown.flow.flatMapLatest { limit ->
            phone.rider.watch(Change.CUSTOMERS, Change.OUTBOX) {
                val lines = history(customerId, limit = limit.toUInt() + 1u)
                CustomerView(customer(customerId), lines.take(limit), lines.size > limit)
            }
        },
    )

    fun showMore() = handle.set("history", keptShown.flow.value + PAGE)
}

/** Where a customer's screen leads to. */
class CustomerExits(
    val back: () -> Unit,
    val deliver: (CustomerId) -> Unit,
    val cash: (CustomerId) -> Unit,
    val edit: (CustomerId) -> Unit,
    val attention: () -> Unit,
)

@Composable
fun CustomerScreen(model: CustomerModel, exits: CustomerExits) {
    val view by model.view.collectAsStateWithLifecycle()
    val failure by model.failure.collectAsStateWithLifecycle()
    val write = write()
    val now = view ?: return ListScreen(stringResource(R.string.customer_title), exits.back) { failure?.let { item { Problem(it) } } }
    val customer = now.customer
    ListScreen(
        customer.name,
        exits.back,
        actions = {
            if (customer.closed) Notice(write.text(R.string.customer_closed), Tone.Bad, R.drawable.ic_attention)
            else MainButton(write.text(R.string.customer_deliver), { exits.deliver(customer.customer) })
        },
    ) {
        item(key = "facts") { Facts(customer, write) }
        items(customer.conflicts, key = { "conflict ${it.field}" }) { ConflictCard(it, exits.attention, write) }
        item(key = "doing") {
            Column(verticalArrangement = Arrangement.spacedBy(8.dp)) {
                SideButton(write.text(R.string.customer_cash), { exits.cash(customer.customer) })
                SideButton(write.text(R.string.customer_edit), { exits.edit(customer.customer) }, icon = R.drawable.ic_edit)
            }
        }
        history(now, write, model::showMore)
    }
}

@Composable
private fun Facts(customer: Customer, write: Write) = Column(verticalArrangement = Arrangement.spacedBy(8.dp)) {
    val context = LocalContext.current
    Text(write.balance(customer.balance), style = MaterialTheme.typography.headlineSmall)
    if (customer.unsettled.minor != 0L) Hint(write.text(R.string.customer_unsettled, write.signed(customer.unsettled)))
    if (customer.address.isNotEmpty()) Fact(write.text(R.string.field_address), customer.address)
    if (customer.note.isNotEmpty()) Fact(write.text(R.string.field_note), customer.note)
    if (customer.phone.isNotEmpty()) {
        SideButton(write.text(R.string.call, write.code(customer.phone)), { context.dial(customer.phone) }, icon = R.drawable.ic_call)
    }
}

/** What something is, and above it what that is called. */
@Composable
fun Fact(name: String, value: String) = Column(Modifier.semantics(mergeDescendants = true) {}) {
    Hint(name)
    Line(value)
}

@Composable
private fun ConflictCard(conflict: Conflict, onSettle: () -> Unit, write: Write) = Card {
    Part(write.text(R.string.conflict_title, write.text(conflict.field.text())))
    for (value in conflict.values) {
        val who = write.text(if (value.role == Role.MANAGER) R.string.by_manager else R.string.by_rider)
        Fact(write.text(R.string.who_when, who, write.moment(value.at)), write.name(value.value))
    }
    SideButton(write.text(R.string.conflict_settle), onSettle)
}

private fun LazyListScope.history(view: CustomerView, write: Write, onMore: () -> Unit) {
    item(key = "history") { Part(write.text(R.string.history_title)) }
    if (view.history.isEmpty()) item(key = "none") { Hint(write.text(R.string.history_none)) }
    items(view.history, key = { it.txn.text }) { HistoryCard(it, write) }
    if (view.more) item(key = "more") { SideButton(write.text(R.string.show_more), onMore) }
}

@OptIn(ExperimentalLayoutApi::class)
@Composable
private fun HistoryCard(line: HistoryLine, write: Write) = Card(Modifier.semantics(mergeDescendants = true) {}) {
    FlowRow(horizontalArrangement = Arrangement.spacedBy(16.dp)) {
        Text(write.text(kindText(line.kind)), style = MaterialTheme.typography.titleMedium)
        if (line.amount.minor != 0L) Text(write.signed(line.amount), style = MaterialTheme.typography.titleMedium)
    }
    line.note?.let { Line(it) }
    val who = write.text(if (line.role == Role.MANAGER) R.string.by_manager else R.string.by_rider)
    Hint(write.text(R.string.who_when, who, write.moment(line.at)))
    val sign = (if (line.settled) Settlement.APPLIED else Settlement.PENDING).sign()
    Mark(sign.icon, write.text(sign.text))
}
