package app.carboy.rider.attention

import androidx.compose.foundation.layout.ColumnScope
import androidx.compose.runtime.Composable
import androidx.compose.runtime.LaunchedEffect
import androidx.compose.runtime.getValue
import androidx.compose.runtime.remember
import androidx.compose.ui.res.stringResource
import androidx.lifecycle.SavedStateHandle
import androidx.lifecycle.compose.collectAsStateWithLifecycle
import app.carboy.Attention
import app.carboy.Carboy
import app.carboy.Change
import app.carboy.Correction
import app.carboy.CustomerId
import app.carboy.DeliveredLine
import app.carboy.FailReason
import app.carboy.Field
import app.carboy.Product
import app.carboy.Refused
import app.carboy.Route
import app.carboy.RouteId
import app.carboy.StockLine
import app.carboy.rider.Kept
import app.carboy.rider.Phone
import app.carboy.rider.Problem
import app.carboy.rider.Progress
import app.carboy.rider.R
import app.carboy.rider.RecordForm
import app.carboy.rider.ScreenModel
import app.carboy.rider.customer.CustomersModel
import app.carboy.rider.customer.CustomersScreen
import app.carboy.rider.customer.Fields
import app.carboy.rider.kindText
import app.carboy.rider.reasonText
import app.carboy.rider.stop.fitting
import app.carboy.rider.text
import app.carboy.rider.ui.Card
import app.carboy.rider.ui.Choices
import app.carboy.rider.ui.Counter
import app.carboy.rider.ui.Field
import app.carboy.rider.ui.FormScreen
import app.carboy.rider.ui.Hint
import app.carboy.rider.ui.Keypad
import app.carboy.rider.ui.Line
import app.carboy.rider.ui.Part
import app.carboy.rider.ui.Typed
import app.carboy.rider.ui.write
import kotlinx.coroutines.flow.StateFlow
import org.json.JSONObject

/** As many as the list of what needs the rider shows. */
private const val LISTED = 100u

/** @property refused what is corrected; null once it has been dealt with */
data class CorrectView(val refused: Refused?, val products: List<Product>, val routes: List<Route>)

/** Corrects a record that was not accepted, beginning with what was recorded. */
class CorrectModel(phone: Phone, handle: SavedStateHandle) : ScreenModel(phone, handle) {
    private val id = checkNotNull(handle.get<String>(RECORD)) { "the screen has no record" }.toULong()
    private val keptTexts = Kept(handle, "texts", HashMap<String, String>())
    private val keptFull = Kept(handle, "full", HashMap<String, Int>())
    private val keptEmpty = Kept(handle, "empty", HashMap<String, Int>())

    val view: StateFlow<CorrectView?> = shown(Change.ATTENTION, Change.CUSTOMERS) { correctView(id) }
    val currency: String get() = phone.identity.currency

    /** What was typed and chosen instead of what was recorded: by the field's name, or by what it is. */
    val texts: StateFlow<Map<String, String>> = keptTexts.flow
    val full: StateFlow<Map<String, Int>> = keptFull.flow
    val empty: StateFlow<Map<String, Int>> = keptEmpty.flow

    fun type(what: String, text: String) = handle.set("texts", HashMap(texts.value + (what to text.fitting())))

    fun countFull(product: Product, count: Int) = handle.set("full", HashMap(full.value + (product.code.text to count)))

    fun countEmpty(product: Product, count: Int) = handle.set("empty", HashMap(empty.value + (product.code.text to count)))

    fun choose(customer: CustomerId) = resend(Correction.Customer(customer))

    fun resend(correction: Correction) {
        val number = id
        recording.record { resend(number, correction) }
    }

    /** The corrected record; null while what is typed and chosen does not make one. */
    fun correction(refused: Refused, products: List<Product>): Correction? {
        val json = parsed(refused.body) ?: return null
        return when (refused.kind) {
            "confirm_delivery" -> counted(products, bottles(json)) { code, full, empty -> DeliveredLine(code.code, full, empty) }
                ?.let(Correction::Lines)
            "load_stock", "return_stock" -> counted(products, bottles(json)) { code, full, empty -> StockLine(code.code, full, empty) }
                ?.let(Correction::Stock)
            "collect_cash", "hand_in_cash" -> typed(json).money?.let(Correction::Amount)
            "update_profile", "add_customer" -> fields(json).plus(typedFields()).takeIf { it.isNotEmpty() }?.let(Correction::Fields)
            "fail_delivery" -> reason(json)?.let { Correction.Failure(it, text(NOTE, note(json)).trim().ifEmpty { null }) }
            "start_shift" -> Correction.Route(text(ROUTE, json.optString("route")).ifEmpty { null }?.let(::RouteId))
            else -> null
        }
    }

    fun typed(json: JSONObject) = Typed(text(AMOUNT, amount(json)?.let { Typed.of(it).text }.orEmpty()), currency)

    fun reason(json: JSONObject): FailReason? = FailReason.entries.find { it.name == text(REASON, failReason(json)?.name.orEmpty()) }

    fun text(what: String, recorded: String): String = texts.value[what] ?: recorded

    /** Bottles and empties by product code, as recorded or counted anew. */
    fun bottles(json: JSONObject): Map<String, Pair<Int, Int>> {
        val recorded = delivered(json).associate { it.product.text to (it.delivered to it.empties) } +
            stock(json).associate { it.product.text to (it.full to it.empty) }
        val codes = recorded.keys + full.value.keys + empty.value.keys
        return codes.associateWith { code ->
            val (delivered, empties) = recorded[code] ?: (0 to 0)
            (full.value[code] ?: delivered) to (empty.value[code] ?: empties)
        }
    }

    private fun <T> counted(products: List<Product>, bottles: Map<String, Pair<Int, Int>>, line: (Product, Int, Int) -> T): List<T>? =
        products.mapNotNull { product ->
            bottles[product.code.text]?.takeIf { (full, empty) -> full > 0 || empty > 0 }?.let { (full, empty) -> line(product, full, empty) }
        }.ifEmpty { null }

    private fun typedFields(): Map<Field, String> = Field.entries.mapNotNull { field -> texts.value[field.name]?.let { field to it.trim() } }.toMap()

    companion object {
        /** The part of a route that names a record. */
        const val RECORD = "record"
        const val AMOUNT = "amount"
        const val REASON = "reason"
        const val NOTE = "note"
        const val ROUTE = "route"
    }
}

private fun Carboy.correctView(id: ULong): CorrectView {
    val refused = attention(limit = LISTED).filterIsInstance<Attention.Mutation>().find { it.refused.id == id }?.refused
    return CorrectView(refused, products(), routes())
}

@Composable
fun CorrectScreen(model: CorrectModel, customers: CustomersModel, onBack: () -> Unit) {
    val view by model.view.collectAsStateWithLifecycle()
    val progress by model.recording.progress.collectAsStateWithLifecycle()
    val failure by model.failure.collectAsStateWithLifecycle()
    LaunchedEffect(progress) { if (progress is Progress.Saved) onBack() }
    val now = view
    val refused = now?.refused
    val title = stringResource(R.string.attention_correct)
    when {
        refused == null -> FormScreen(title, onBack) {
            failure?.let { Problem(it) }
            if (now != null) Hint(stringResource(R.string.attention_none))
        }
        refused.reason == "unknown_customer" || refused.kind == "note_progress" ->
            CustomersScreen(customers, stringResource(R.string.correct_customer), onBack, null, progress, model::choose)
        else -> CorrectForm(model, now, refused, onBack)
    }
}

@Composable
private fun CorrectForm(model: CorrectModel, view: CorrectView, refused: Refused, onBack: () -> Unit) {
    // Read here, so that this is drawn anew with each of them.
    val texts by model.texts.collectAsStateWithLifecycle()
    val full by model.full.collectAsStateWithLifecycle()
    val empty by model.empty.collectAsStateWithLifecycle()
    val correction = remember(texts, full, empty, refused) { model.correction(refused, view.products) }
    RecordForm(
        model,
        stringResource(R.string.attention_correct),
        onBack,
        stringResource(R.string.correct_send),
        correction?.let { { model.resend(it) } },
        // What is sent again needs the rider no more: the form is gone by then.
        onSaved = {},
    ) {
        Part(stringResource(kindText(refused.kind)))
        if (refused.customerName.isNotEmpty()) Line(refused.customerName)
        Hint(stringResource(reasonText(refused.reason)))
        parsed(refused.body)?.let { Content(model, view, refused.kind, it, texts) }
    }
}

@Composable
private fun ColumnScope.Content(model: CorrectModel, view: CorrectView, kind: String, json: JSONObject, texts: Map<String, String>) {
    when (kind) {
        "confirm_delivery", "load_stock", "return_stock" -> Bottles(model, view.products, json)
        "collect_cash", "hand_in_cash" -> Keypad(model.typed(json)) { model.type(CorrectModel.AMOUNT, it.text) }
        "update_profile", "add_customer" -> Fields(fields(json), texts) { field, text -> model.type(field.name, text) }
        "fail_delivery" -> {
            val reasons = FailReason.entries.map { it to stringResource(it.text()) }
            Choices(reasons, model.reason(json)) { model.type(CorrectModel.REASON, it.name) }
            val note = model.text(CorrectModel.NOTE, note(json))
            Field(stringResource(R.string.fail_note), note, { model.type(CorrectModel.NOTE, it) }, lines = 2)
        }
        "start_shift" -> {
            val chosen = model.text(CorrectModel.ROUTE, json.optString("route"))
            Choices(view.routes.map { it.route.text to it.name }, chosen) { model.type(CorrectModel.ROUTE, it) }
        }
    }
}

@Composable
private fun Bottles(model: CorrectModel, products: List<Product>, json: JSONObject) {
    val write = write()
    val bottles = model.bottles(json)
    for (product in products) {
        val (full, empty) = bottles[product.code.text] ?: (0 to 0)
        val name = write.name(product.name)
        Card {
            Part(product.name)
            Counter(write.text(R.string.full_of, name), full, { model.countFull(product, it) })
            Counter(write.text(R.string.empties_of, name), empty, { model.countEmpty(product, it) })
        }
    }
}
