package app.carboy.rider.day

import androidx.compose.foundation.layout.Arrangement
import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.lazy.items
import androidx.compose.runtime.Composable
import androidx.compose.runtime.getValue
import androidx.compose.runtime.mutableStateOf
import androidx.compose.runtime.saveable.rememberSaveable
import androidx.compose.runtime.setValue
import androidx.compose.ui.res.stringResource
import androidx.compose.ui.unit.dp
import androidx.lifecycle.SavedStateHandle
import androidx.lifecycle.compose.collectAsStateWithLifecycle
import app.carboy.Change
import app.carboy.DayProduct
import app.carboy.DaySummary
import app.carboy.ProductCode
import app.carboy.rider.Phone
import app.carboy.rider.Problem
import app.carboy.rider.R
import app.carboy.rider.ScreenModel
import app.carboy.rider.isDone
import app.carboy.rider.ui.Ask
import app.carboy.rider.ui.Card
import app.carboy.rider.ui.Hint
import app.carboy.rider.ui.Line
import app.carboy.rider.ui.ListScreen
import app.carboy.rider.ui.MainButton
import app.carboy.rider.ui.Part
import app.carboy.rider.ui.SideButton
import app.carboy.rider.ui.Sum
import app.carboy.rider.ui.Write
import app.carboy.rider.ui.write
import kotlinx.coroutines.flow.StateFlow

/**
 * @property names of the products
 * @property left stops of the route that the rider is not done with
 */
data class DayView(val day: DaySummary, val names: Map<ProductCode, String>, val left: Int)

/** The rider's day, and its end. */
class DayModel(phone: Phone, handle: SavedStateHandle) : ScreenModel(phone, handle) {
    val view: StateFlow<DayView?> = shown(Change.DAY, Change.CUSTOMERS) {
        val day = day()
        val stops = day.shift?.route?.let(::stops).orEmpty()
        DayView(day, products().associate { it.code to it.name }, stops.count { !it.state.isDone })
    }

    fun finish() = recording.again { finishShift() }
}

/** Where the day's screen leads to. */
class DayExits(val load: () -> Unit, val giveBack: () -> Unit, val handIn: () -> Unit, val records: () -> Unit)

@Composable
fun DayScreen(model: DayModel, exits: DayExits) {
    val view by model.view.collectAsStateWithLifecycle()
    val progress by model.recording.progress.collectAsStateWithLifecycle()
    val failure by model.failure.collectAsStateWithLifecycle()
    val write = write()
    var isAsking by rememberSaveable { mutableStateOf(false) }
    val now = view ?: return ListScreen(stringResource(R.string.day_title)) { failure?.let { item { Problem(it) } } }
    val isOpen = now.day.shift.let { it != null && it.finishedAt == null }
    ListScreen(
        stringResource(R.string.day_title),
        actions = {
            Problem(progress)
            MainButton(write.text(R.string.hand_in_title), exits.handIn)
        },
    ) {
        item(key = "shift") { Line(shiftText(now.day, write)) }
        item(key = "cash") { CashCard(now.day, write) }
        item(key = "stops") { StopsCard(now.day, write) }
        items(now.day.products, key = { it.product.text }) { BottlesCard(it, now.names[it.product].orEmpty(), write) }
        item(key = "doing") {
            Column(verticalArrangement = Arrangement.spacedBy(8.dp)) {
                SideButton(write.text(R.string.load_title), exits.load)
                SideButton(write.text(R.string.return_title), exits.giveBack)
                SideButton(write.text(R.string.records_title), exits.records)
                if (isOpen) SideButton(write.text(R.string.finish_shift), { isAsking = true })
            }
        }
    }
    if (isAsking) AskToFinish(now, write, { isAsking = false }, model::finish)
}

private fun shiftText(day: DaySummary, write: Write): String {
    val shift = day.shift ?: return write.text(R.string.shift_none)
    val end = shift.finishedAt ?: return write.text(R.string.shift_open, write.moment(shift.startedAt))
    return write.text(R.string.shift_finished, write.moment(shift.startedAt), write.time(end))
}

@Composable
private fun CashCard(day: DaySummary, write: Write) = Card {
    Sum(write.text(R.string.day_cash_in_hand), write.money(day.cashInHand), strong = true)
    Sum(write.text(R.string.day_collected), write.money(day.collected))
    Sum(write.text(R.string.day_handed_in), write.money(day.handedIn))
}

@Composable
private fun StopsCard(day: DaySummary, write: Write) = Card {
    Sum(write.text(R.string.day_deliveries), write.number(day.deliveries))
    Sum(write.text(R.string.day_failures), write.number(day.failures))
    Sum(write.text(R.string.day_customers), write.number(day.customers))
}

@Composable
private fun BottlesCard(product: DayProduct, name: String, write: Write) = Card {
    Part(name)
    Sum(write.text(R.string.day_on_board), write.number(product.onBoard), strong = true)
    Sum(write.text(R.string.day_empties_on_board), write.number(product.emptiesOnBoard))
    Sum(write.text(R.string.day_loaded), write.number(product.loaded))
    Sum(write.text(R.string.day_delivered), write.number(product.delivered))
    Sum(write.text(R.string.day_empties), write.number(product.empties))
    Sum(write.text(R.string.day_returned), write.number(product.returned))
}

@Composable
private fun AskToFinish(view: DayView, write: Write, onClose: () -> Unit, onFinish: () -> Unit) =
    Ask(write.text(R.string.finish_ask), write.text(R.string.finish_shift), onFinish, onClose) {
        if (view.left > 0) Line(write.many(R.plurals.finish_left, view.left.toLong()))
        if (view.day.cashInHand.minor > 0) Line(write.text(R.string.finish_cash, write.money(view.day.cashInHand)))
        Hint(write.text(R.string.finish_hint))
    }
