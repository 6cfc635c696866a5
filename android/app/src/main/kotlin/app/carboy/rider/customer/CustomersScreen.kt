package app.carboy.rider.customer

import androidx.compose.foundation.layout.Arrangement
import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.lazy.items
import androidx.compose.material3.MaterialTheme
import androidx.compose.material3.Text
import androidx.compose.runtime.Composable
import androidx.compose.runtime.getValue
import androidx.compose.ui.Modifier
import androidx.compose.ui.res.stringResource
import androidx.compose.ui.unit.dp
import androidx.lifecycle.SavedStateHandle
import androidx.lifecycle.compose.collectAsStateWithLifecycle
import app.carboy.Change
import app.carboy.CustomerId
import app.carboy.CustomerRow
import app.carboy.rider.Kept
import app.carboy.rider.Phone
import app.carboy.rider.Problem
import app.carboy.rider.Progress
import app.carboy.rider.R
import app.carboy.rider.ScreenModel
import app.carboy.rider.problem
import app.carboy.rider.ui.Entry
import app.carboy.rider.ui.Field
import app.carboy.rider.ui.Hint
import app.carboy.rider.ui.ListScreen
import app.carboy.rider.ui.SideButton
import app.carboy.rider.ui.balance
import app.carboy.rider.ui.write
import kotlinx.coroutines.ExperimentalCoroutinesApi
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.combine
import kotlinx.coroutines.flow.flatMapLatest

private const val PAGE = 50

/** @property more whether there are more customers than these */
data class Found(val rows: List<CustomerRow>, val more: Boolean)

/** All customers of the plant. */
class CustomersModel(phone: Phone, handle: SavedStateHandle) : ScreenModel(phone, handle) {
    private val keptSearch = Kept(handle, "search", "")
    private val keptShown = Kept(handle, "shown", PAGE)

    val search: StateFlow<String> = keptSearch.flow

    @OptIn(ExperimentalCoroutinesApi::class)
    val found: StateFlow<Found?> = kept(
        combine(keptSearch.flow, keptShown.flow, ::Pair).flatMapLatest { (text, limit) ->
            phone.rider.watch(Change.CUSTOMERS) {
                val rows = customers(text.trim(), limit = limit.toUInt() + 1u)
                Found(rows.take(limit), rows.size > limit)
            }
        },
    )

    fun type(text: String) {
        handle["search"] = text
        handle["shown"] = PAGE
    }

    fun showMore() = handle.set("shown", keptShown.flow.value + PAGE)
}

/** The customers, with a search; [onAdd] is for a place where one may be added, [progress] for one that records. */
@Composable
fun CustomersScreen(
    model: CustomersModel,
    title: String,
    onBack: (() -> Unit)?,
    onAdd: (() -> Unit)?,
    progress: Progress = Progress.Ready,
    onChoose: (CustomerId) -> Unit,
) {
    val search by model.search.collectAsStateWithLifecycle()
    val found by model.found.collectAsStateWithLifecycle()
    val failure by model.failure.collectAsStateWithLifecycle()
    val write = write()
    ListScreen(title, onBack, problem(progress)) {
        item(key = "search") { Field(stringResource(R.string.customers_search), search, model::type) }
        failure?.let { item(key = "failure") { Problem(it) } }
        val now = found
        if (now != null && now.rows.isEmpty()) item(key = "none") { Hint(stringResource(R.string.customers_none)) }
        items(now?.rows.orEmpty(), key = { it.customer.text }) { row ->
            Entry({ onChoose(row.customer) }) {
                Column(Modifier.weight(1f), Arrangement.spacedBy(2.dp)) {
                    Text(row.name, style = MaterialTheme.typography.titleMedium)
                    if (row.address.isNotEmpty()) Text(row.address, style = MaterialTheme.typography.bodyMedium)
                    Text(write.balance(row.balance), style = MaterialTheme.typography.bodyMedium)
                }
            }
        }
        if (now?.more == true) item(key = "more") { SideButton(stringResource(R.string.show_more), model::showMore) }
        if (onAdd != null) item(key = "add") { SideButton(stringResource(R.string.add_customer), onAdd, icon = R.drawable.ic_plus) }
    }
}
