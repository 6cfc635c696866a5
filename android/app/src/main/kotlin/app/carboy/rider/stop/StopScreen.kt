package app.carboy.rider.stop

import androidx.compose.foundation.layout.ColumnScope
import androidx.compose.runtime.Composable
import androidx.compose.runtime.getValue
import androidx.compose.ui.platform.LocalContext
import androidx.compose.ui.res.stringResource
import androidx.lifecycle.compose.collectAsStateWithLifecycle
import app.carboy.Customer
import app.carboy.CustomerId
import app.carboy.Product
import app.carboy.rider.Problem
import app.carboy.rider.Progress
import app.carboy.rider.R
import app.carboy.rider.RecordForm
import app.carboy.rider.customer.Fact
import app.carboy.rider.dial
import app.carboy.rider.showOnMap
import app.carboy.rider.ui.Card
import app.carboy.rider.ui.Choices
import app.carboy.rider.ui.Counter
import app.carboy.rider.ui.FormScreen
import app.carboy.rider.ui.Hint
import app.carboy.rider.ui.Keypad
import app.carboy.rider.ui.Line
import app.carboy.rider.ui.Part
import app.carboy.rider.ui.SideButton
import app.carboy.rider.ui.Sum
import app.carboy.rider.ui.Write
import app.carboy.rider.ui.balance
import app.carboy.rider.ui.write

/** Where a stop leads to. */
class StopExits(
    val back: () -> Unit,
    val fail: (CustomerId) -> Unit,
    val customer: (CustomerId) -> Unit,
    /** On to the next stop, in place of this one. */
    val next: (CustomerId) -> Unit,
)

/** A stop: first what is counted, then the receipt. */
@Composable
fun StopScreen(model: StopModel, exits: StopExits) {
    val view by model.view.collectAsStateWithLifecycle()
    val progress by model.recording.progress.collectAsStateWithLifecycle()
    val failure by model.failure.collectAsStateWithLifecycle()
    val now = view
    val saved = progress as? Progress.Saved
    when {
        now == null || progress == Progress.Opening ->
            FormScreen(stringResource(R.string.stop_title), exits.back) { failure?.let { Problem(it) } }
        saved != null -> ReceiptScreen(model, now, saved.records, exits)
        else -> CountScreen(model, now, exits)
    }
}

@Composable
private fun CountScreen(model: StopModel, view: StopView, exits: StopExits) {
    val count by model.count.collectAsStateWithLifecycle()
    val write = write()
    val paid = count.paid(view)
    RecordForm(
        model,
        view.customer.name,
        exits.back,
        if (paid.minor > 0) write.text(R.string.stop_confirm_cash, write.money(paid)) else write.text(R.string.stop_confirm),
        { model.confirm(view) }.takeIf { count.isComplete(view) },
        // The receipt comes in its place.
        onSaved = {},
    ) {
        Facts(view.customer, write)
        for (product in view.products) Bottles(product, count, model, write)
        Sum(write.text(R.string.stop_amount), write.money(count.amount(view)), strong = true)
        CashPart(model, view, count, write)
        PhotoPart(model)
        SideButton(write.text(R.string.stop_cannot), { exits.fail(view.customer.customer) }, icon = R.drawable.ic_failed)
        SideButton(write.text(R.string.stop_customer), { exits.customer(view.customer.customer) }, icon = R.drawable.ic_customers)
    }
}

@Composable
private fun ColumnScope.Facts(customer: Customer, write: Write) {
    val context = LocalContext.current
    if (customer.address.isNotEmpty()) Line(customer.address)
    if (customer.note.isNotEmpty()) Fact(write.text(R.string.field_note), customer.note)
    Line(write.balance(customer.balance))
    if (customer.phone.isNotEmpty()) {
        val call = write.text(R.string.call, write.code(customer.phone))
        SideButton(call, { context.dial(customer.phone) }, icon = R.drawable.ic_call)
    }
    if (customer.address.isNotEmpty()) {
        SideButton(write.text(R.string.map), { context.showOnMap(customer.address) }, icon = R.drawable.ic_place)
    }
}

@Composable
private fun Bottles(product: Product, count: Count, model: StopModel, write: Write) = Card {
    Part(write.text(R.string.product_price, write.name(product.name), write.money(product.price)))
    val name = write.name(product.name)
    Counter(write.text(R.string.full_of, name), count.full[product.code.text] ?: 0, { model.countFull(product, it) })
    Counter(write.text(R.string.empties_of, name), count.empties[product.code.text] ?: 0, { model.countEmpties(product, it) })
}

@Composable
private fun CashPart(model: StopModel, view: StopView, count: Count, write: Write) {
    val cash = count.cash
    val amount = count.amount(view)
    val owed = view.customer.balance
    val options = listOfNotNull(
        (Cash.This to write.text(R.string.cash_this, write.money(amount))).takeIf { amount.minor > 0 },
        (Cash.All to write.text(R.string.cash_all, write.money(amount.let { it.copy(minor = it.minor + owed.minor) })))
            .takeIf { owed.minor > 0 },
        Cash.Other to write.text(R.string.cash_other),
        Cash.None to write.text(R.string.cash_none),
    )
    Part(write.text(R.string.cash_title))
    if (cash == Cash.Unsaid && amount.minor > 0) Hint(write.text(R.string.cash_unsaid))
    Choices(options, cash, model::choose)
    if (cash == Cash.Other) Keypad(count.typed, model::type)
}
