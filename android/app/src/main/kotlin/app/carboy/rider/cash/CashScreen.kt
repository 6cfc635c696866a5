package app.carboy.rider.cash

import androidx.compose.runtime.Composable
import androidx.compose.runtime.getValue
import androidx.compose.ui.res.stringResource
import androidx.lifecycle.SavedStateHandle
import androidx.lifecycle.compose.collectAsStateWithLifecycle
import app.carboy.Change
import app.carboy.Money
import app.carboy.rider.Kept
import app.carboy.rider.Phone
import app.carboy.rider.R
import app.carboy.rider.RecordForm
import app.carboy.rider.ScreenModel
import app.carboy.rider.stop.fitting
import app.carboy.rider.ui.Field
import app.carboy.rider.ui.Keypad
import app.carboy.rider.ui.Line
import app.carboy.rider.ui.SideButton
import app.carboy.rider.ui.Typed
import app.carboy.rider.ui.balance
import app.carboy.rider.ui.write
import kotlinx.coroutines.flow.StateFlow

/** @property name the customer who pays; empty where the rider hands in */
data class Due(val name: String, val due: Money)

/** Cash from a customer; or, where the route names none, cash that the rider hands in. */
class CashModel(phone: Phone, handle: SavedStateHandle) : ScreenModel(phone, handle) {
    private val keptTyped = Kept(handle, "typed", "")
    private val keptNote = Kept(handle, "note", "")

    val isHandIn: Boolean = CUSTOMER !in handle
    val typed: StateFlow<String> = keptTyped.flow
    val note: StateFlow<String> = keptNote.flow
    val currency: String get() = phone.identity.currency

    /** What there is to pay or to hand in. */
    val due: StateFlow<Due?> = shown(Change.CUSTOMERS, Change.DAY) {
        if (isHandIn) Due("", day().cashInHand) else customer(customerId).let { Due(it.name, it.balance) }
    }

    fun type(typed: Typed) = handle.set("typed", typed.text)

    fun note(text: String) = handle.set("note", text.fitting())

    fun save(amount: Money) {
        val about = note.value.trim().ifEmpty { null }
        recording.record { if (isHandIn) handInCash(amount, about) else collectCash(customerId, amount) }
    }
}

@Composable
fun CashScreen(model: CashModel, onBack: () -> Unit) {
    val text by model.typed.collectAsStateWithLifecycle()
    val note by model.note.collectAsStateWithLifecycle()
    val due by model.due.collectAsStateWithLifecycle()
    val write = write()
    val typed = Typed(text, model.currency)
    val amount = typed.money
    RecordForm(
        model,
        stringResource(if (model.isHandIn) R.string.hand_in_title else R.string.customer_cash),
        onBack,
        amount?.let { write.text(R.string.cash_save, write.money(it)) } ?: write.text(R.string.cash_save_none),
        amount?.let { { model.save(it) } },
    ) {
        due?.let { now ->
            if (now.name.isNotEmpty()) Line(now.name)
            Line(if (model.isHandIn) write.text(R.string.hand_in_have, write.money(now.due)) else write.balance(now.due))
            if (now.due.minor > 0) {
                SideButton(write.text(R.string.cash_everything, write.money(now.due)), { model.type(Typed.of(now.due)) })
            }
        }
        Keypad(typed, model::type)
        if (model.isHandIn) Field(write.text(R.string.hand_in_note), note, model::note)
    }
}
