package app.carboy.rider.route

import androidx.compose.foundation.layout.Arrangement
import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.ExperimentalLayoutApi
import androidx.compose.foundation.layout.FlowRow
import androidx.compose.foundation.layout.RowScope
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.foundation.layout.size
import androidx.compose.foundation.lazy.LazyListScope
import androidx.compose.foundation.lazy.items
import androidx.compose.foundation.lazy.rememberLazyListState
import androidx.compose.material3.Icon
import androidx.compose.material3.LinearProgressIndicator
import androidx.compose.material3.MaterialTheme
import androidx.compose.material3.Text
import androidx.compose.runtime.Composable
import androidx.compose.runtime.LaunchedEffect
import androidx.compose.runtime.getValue
import androidx.compose.ui.Modifier
import androidx.compose.ui.res.painterResource
import androidx.compose.ui.res.stringResource
import androidx.compose.ui.semantics.clearAndSetSemantics
import androidx.compose.ui.unit.dp
import androidx.lifecycle.compose.collectAsStateWithLifecycle
import app.carboy.CustomerId
import app.carboy.Stop
import app.carboy.rider.Problem
import app.carboy.rider.R
import app.carboy.rider.isDone
import app.carboy.rider.text
import app.carboy.rider.ui.Choices
import app.carboy.rider.ui.Entry
import app.carboy.rider.ui.Line
import app.carboy.rider.ui.ListScreen
import app.carboy.rider.ui.MainButton
import app.carboy.rider.ui.Mark
import app.carboy.rider.ui.SideButton
import app.carboy.rider.ui.Write
import app.carboy.rider.ui.balance
import app.carboy.rider.ui.isTextLarge
import app.carboy.rider.ui.write

/** Today's route: before the shift, which one; then its stops, and how each stands. */
@Composable
fun RouteScreen(model: RouteModel, onStop: (CustomerId) -> Unit, onAddCustomer: () -> Unit) {
    val round by model.round.collectAsStateWithLifecycle()
    val failure by model.failure.collectAsStateWithLifecycle()
    val write = write()
    when (val now = round) {
        null -> ListScreen(stringResource(R.string.route_title)) { failure?.let { item { Problem(it) } } }
        is Round.BeforeShift -> BeforeShift(model, now, write)
        is Round.UnderWay -> UnderWay(now, write, onStop, onAddCustomer)
    }
}

@Composable
private fun BeforeShift(model: RouteModel, round: Round.BeforeShift, write: Write) {
    val chosen by model.chosen.collectAsStateWithLifecycle()
    val starting by model.recording.progress.collectAsStateWithLifecycle()
    val route = round.routes.find { it.route.text == chosen } ?: round.routes.singleOrNull()
    ListScreen(
        stringResource(R.string.route_title),
        actions = {
            Problem(starting)
            val ready = route != null || round.routes.isEmpty()
            MainButton(stringResource(R.string.start_shift), { model.start(route?.route) }, enabled = ready)
        },
    ) {
        item { Line(stringResource(if (round.routes.isEmpty()) R.string.route_none else R.string.route_choose)) }
        item { Choices(round.routes.map { it to write.many(R.plurals.route_stops, it.stops.toLong(), write.name(it.name)) }, route) { model.choose(it.route) } }
    }
}

@Composable
private fun UnderWay(round: Round.UnderWay, write: Write, onStop: (CustomerId) -> Unit, onAddCustomer: () -> Unit) {
    val next = round.stops.find { !it.state.isDone }
    val list = rememberLazyListState()
    // The stop before it stays in view: what was just done there.
    LaunchedEffect(next?.customer?.customer) { list.scrollToItem(maxOf(round.stops.indexOf(next), 0)) }
    ListScreen(
        round.name.ifEmpty { stringResource(R.string.route_title) },
        state = list,
        actions = {
            if (next != null) {
                MainButton(write.text(R.string.route_go), { onStop(next.customer.customer) })
            } else {
                SideButton(stringResource(R.string.add_customer), onAddCustomer, icon = R.drawable.ic_plus)
            }
        },
    ) {
        stops(round, next, write, onStop)
        if (next != null) {
            item(key = "add") { SideButton(stringResource(R.string.add_customer), onAddCustomer, icon = R.drawable.ic_plus) }
        }
    }
}

private fun LazyListScope.stops(round: Round.UnderWay, next: Stop?, write: Write, onStop: (CustomerId) -> Unit) {
    item(key = "done") {
        val done = round.stops.count { it.state.isDone }
        Column(verticalArrangement = Arrangement.spacedBy(8.dp)) {
            Line(write.many(R.plurals.route_done, round.stops.size.toLong(), write.number(done)))
            if (round.stops.isNotEmpty()) {
                val share = done.toFloat() / round.stops.size
                LinearProgressIndicator({ share }, Modifier.fillMaxWidth().clearAndSetSemantics {})
            }
        }
    }
    items(round.stops, key = { it.customer.customer.text }) { stop ->
        Entry({ onStop(stop.customer.customer) }, strong = stop == next) {
            StopLines(stop, stop.customer.customer in round.needing, write)
        }
    }
}

@OptIn(ExperimentalLayoutApi::class)
@Composable
private fun RowScope.StopLines(stop: Stop, needsRider: Boolean, write: Write) {
    if (!stop.state.isDone && !isTextLarge()) Icon(painterResource(R.drawable.ic_todo), null, Modifier.size(24.dp))
    Column(Modifier.weight(1f), Arrangement.spacedBy(2.dp)) {
        Text(stop.customer.name, style = MaterialTheme.typography.titleMedium)
        if (stop.customer.address.isNotEmpty()) Text(stop.customer.address, style = MaterialTheme.typography.bodyMedium)
        if (stop.customer.balance.minor != 0L) {
            Text(write.balance(stop.customer.balance), style = MaterialTheme.typography.bodyMedium)
        }
        FlowRow(horizontalArrangement = Arrangement.spacedBy(16.dp), verticalArrangement = Arrangement.spacedBy(4.dp)) {
            Text(write.text(stop.state.text()), style = MaterialTheme.typography.labelMedium)
            when {
                needsRider ->
                    Mark(R.drawable.ic_attention, write.text(R.string.mark_attention), MaterialTheme.colorScheme.error)
                stop.state == null -> Unit
                stop.settled ->
                    Mark(R.drawable.ic_settled, write.text(R.string.mark_settled), MaterialTheme.colorScheme.tertiary)
                else -> Mark(R.drawable.ic_saved, write.text(R.string.mark_saved))
            }
        }
    }
}
