package app.carboy.rider.stop

import androidx.compose.runtime.Composable
import androidx.compose.runtime.getValue
import androidx.compose.ui.platform.LocalContext
import androidx.lifecycle.compose.collectAsStateWithLifecycle
import app.carboy.Record
import app.carboy.rider.R
import app.carboy.rider.shareText
import app.carboy.rider.ui.Card
import app.carboy.rider.ui.FormScreen
import app.carboy.rider.ui.Line
import app.carboy.rider.ui.MainButton
import app.carboy.rider.ui.Notice
import app.carboy.rider.ui.SideButton
import app.carboy.rider.ui.Tone
import app.carboy.rider.ui.Write
import app.carboy.rider.ui.balance
import app.carboy.rider.ui.write
import app.carboy.unaryMinus

/** What was recorded at a stop, safe on this phone, as a receipt that can be shared. */
@Composable
fun ReceiptScreen(model: StopModel, view: StopView, records: List<Record>, exits: StopExits) {
    val write = write()
    val context = LocalContext.current
    val count by model.count.collectAsStateWithLifecycle()
    val lines = receipt(model.plantName, count, view, records, write)
    FormScreen(
        view.customer.name,
        exits.back,
        actions = {
            val next = view.next
            if (next != null) {
                MainButton(write.text(R.string.route_next, write.name(view.nextName)), { exits.next(next) })
            } else {
                MainButton(write.text(R.string.receipt_back), exits.back)
            }
            val text = lines.joinToString("\n")
            SideButton(write.text(R.string.receipt_share), { context.shareText(text) }, icon = R.drawable.ic_share)
        },
    ) {
        Notice(write.text(R.string.receipt_saved), Tone.Good, R.drawable.ic_saved)
        val isCashMissing = count.paid(view).minor > 0 && records.none { it.kind == "collect_cash" }
        if (isCashMissing) Notice(write.text(R.string.receipt_no_cash), Tone.Bad, R.drawable.ic_attention)
        Card { for (line in lines) Line(line) }
    }
}

/** The receipt's lines, as they are shown and shared. */
private fun receipt(plantName: String, count: Count, view: StopView, records: List<Record>, write: Write): List<String> {
    val cash = records.find { it.kind == "collect_cash" }
    val delivery = records.find { it.kind == "confirm_delivery" }
    val names = view.products.associate { it.code to it }
    return listOfNotNull(
        plantName,
        write.name(view.customer.name),
        records.lastOrNull()?.at?.let(write::moment),
    ) + count.lines(view).takeIf { delivery != null }.orEmpty().flatMap { line ->
        val product = names.getValue(line.product)
        val name = write.name(product.name)
        listOfNotNull(
            write.text(R.string.receipt_full, name, write.number(line.delivered), write.money(product.price))
                .takeIf { line.delivered > 0 },
            write.text(R.string.receipt_empties, name, write.number(line.empties)).takeIf { line.empties > 0 },
        )
    } + listOfNotNull(
        delivery?.let { write.text(R.string.receipt_amount, write.money(it.amount)) },
        cash?.let { write.text(R.string.receipt_cash, write.money(-it.amount)) },
        write.balance(view.customer.balance),
        write.text(R.string.receipt_code, write.code(records.joinToString(" ") { it.code })),
    )
}
