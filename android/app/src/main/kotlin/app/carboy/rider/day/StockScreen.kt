package app.carboy.rider.day

import androidx.compose.runtime.Composable
import androidx.compose.runtime.getValue
import androidx.compose.ui.res.stringResource
import androidx.lifecycle.SavedStateHandle
import androidx.lifecycle.compose.collectAsStateWithLifecycle
import app.carboy.Change
import app.carboy.DayProduct
import app.carboy.Product
import app.carboy.StockLine
import app.carboy.rider.Kept
import app.carboy.rider.Phone
import app.carboy.rider.R
import app.carboy.rider.RecordForm
import app.carboy.rider.ScreenModel
import app.carboy.rider.ui.Card
import app.carboy.rider.ui.Counter
import app.carboy.rider.ui.Hint
import app.carboy.rider.ui.Part
import app.carboy.rider.ui.write
import kotlinx.coroutines.flow.StateFlow

/** @property onBoard what the rider has of each product, as far as it was recorded */
data class StockView(val products: List<Product>, val onBoard: Map<String, DayProduct>)

/** Bottles between the plant and the vehicle: [isLoading] says which way. */
class StockModel(phone: Phone, handle: SavedStateHandle, val isLoading: Boolean) : ScreenModel(phone, handle) {
    private val keptFull = Kept(handle, "full", HashMap<String, Int>())
    private val keptEmpty = Kept(handle, "empty", HashMap<String, Int>())

    val full: StateFlow<Map<String, Int>> = keptFull.flow
    val empty: StateFlow<Map<String, Int>> = keptEmpty.flow
    val view: StateFlow<StockView?> = shown(Change.CUSTOMERS, Change.DAY) {
        StockView(products(), day().products.associateBy { it.product.text })
    }

    fun countFull(product: Product, count: Int) = handle.set("full", HashMap(full.value + (product.code.text to count)))

    fun countEmpty(product: Product, count: Int) = handle.set("empty", HashMap(empty.value + (product.code.text to count)))

    fun save(lines: List<StockLine>) {
        recording.record { if (isLoading) loadStock(lines) else returnStock(lines) }
    }
}

/** The bottles that were counted. */
private fun lines(view: StockView, full: Map<String, Int>, empty: Map<String, Int>): List<StockLine> = view.products
    .map { StockLine(it.code, full[it.code.text] ?: 0, empty[it.code.text] ?: 0) }
    .filter { it.full > 0 || it.empty > 0 }

@Composable
fun StockScreen(model: StockModel, onBack: () -> Unit) {
    val view by model.view.collectAsStateWithLifecycle()
    val full by model.full.collectAsStateWithLifecycle()
    val empty by model.empty.collectAsStateWithLifecycle()
    val write = write()
    val now = view
    val lines = now?.let { lines(it, full, empty) }.orEmpty()
    RecordForm(
        model,
        stringResource(if (model.isLoading) R.string.load_title else R.string.return_title),
        onBack,
        stringResource(R.string.save),
        { model.save(lines) }.takeIf { lines.isNotEmpty() },
    ) {
        for (product in now?.products.orEmpty()) {
            val name = write.name(product.name)
            Card {
                Part(product.name)
                now?.onBoard?.get(product.code.text)?.let {
                    Hint(write.text(R.string.stock_on_board, write.number(it.onBoard), write.number(it.emptiesOnBoard)))
                }
                Counter(write.text(R.string.full_of, name), full[product.code.text] ?: 0, { model.countFull(product, it) }, tens = true)
                Counter(write.text(R.string.empties_of, name), empty[product.code.text] ?: 0, { model.countEmpty(product, it) }, tens = true)
            }
        }
    }
}
