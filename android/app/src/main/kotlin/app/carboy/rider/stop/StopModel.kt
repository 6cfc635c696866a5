package app.carboy.rider.stop

import androidx.lifecycle.SavedStateHandle
import androidx.lifecycle.viewModelScope
import app.carboy.Carboy
import app.carboy.Change
import app.carboy.Customer
import app.carboy.CustomerId
import app.carboy.DeliveredLine
import app.carboy.Money
import app.carboy.Product
import app.carboy.plus
import app.carboy.rider.Kept
import app.carboy.rider.Phone
import app.carboy.rider.ScreenModel
import app.carboy.rider.isDone
import app.carboy.rider.ui.Typed
import app.carboy.times
import java.io.File
import java.io.IOException
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.SharingStarted
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow
import kotlinx.coroutines.flow.combine
import kotlinx.coroutines.flow.stateIn
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext

/** What the customer pays at the door. */
enum class Cash {
    /** Nobody has said yet. */
    Unsaid,

    /** This delivery. */
    This,

    /** This delivery and everything that was owed before. */
    All,

    /** What is typed on the keypad. */
    Other,

    /** Nothing: it goes on the account. */
    None,
}

/** What is known of a stop before anything is counted. */
data class StopView(val customer: Customer, val products: List<Product>, val next: CustomerId?, val nextName: String)

/** What the rider has counted. Bottles and empties are by product code. */
data class Count(val full: Map<String, Int>, val empties: Map<String, Int>, val cash: Cash, val typed: Typed) {
    /** The bottles that were counted. */
    fun lines(view: StopView): List<DeliveredLine> = view.products
        .map { DeliveredLine(it.code, full[it.code.text] ?: 0, empties[it.code.text] ?: 0) }
        .filter { it.delivered > 0 || it.empties > 0 }

    /** What the counted bottles cost. */
    fun amount(view: StopView): Money = view.products.fold(Money(0, typed.currency)) { sum, product ->
        sum + product.price * (full[product.code.text] ?: 0)
    }

    /** What the customer pays now, as far as it was said. */
    fun paid(view: StopView): Money = when (cash) {
        Cash.This -> amount(view)
        Cash.All -> view.customer.balance + amount(view)
        Cash.Other -> typed.money ?: Money(0, typed.currency)
        Cash.None, Cash.Unsaid -> Money(0, typed.currency)
    }

    /** Whether all is said that there is to say. */
    fun isComplete(view: StopView): Boolean {
        val isSaid = when (cash) {
            Cash.Unsaid -> amount(view).minor == 0L
            Cash.Other -> typed.money != null
            Cash.This, Cash.All, Cash.None -> true
        }
        return isSaid && (lines(view).isNotEmpty() || paid(view).minor > 0)
    }
}

/** A stop: bottles handed over, empties taken back, cash, a photo, and one button. */
class StopModel(phone: Phone, handle: SavedStateHandle, private val photos: Photos) : ScreenModel(phone, handle) {
    private val keptFull = Kept(handle, "full", HashMap<String, Int>())
    private val keptEmpties = Kept(handle, "empties", HashMap<String, Int>())
    private val keptCash = Kept(handle, "cash", Cash.Unsaid)
    private val keptTyped = Kept(handle, "typed", "")
    private val keptPhoto = Kept(handle, "photo", "")
    private var pendingPhoto by Kept(handle, "photo.pending", "")
    private val photoFailed = MutableStateFlow(false)

    /** What was counted until now. */
    val count: StateFlow<Count> =
        combine(keptFull.flow, keptEmpties.flow, keptCash.flow, keptTyped.flow, ::counted)
            .stateIn(viewModelScope, SharingStarted.Eagerly, counted())

    /** The photo's file; empty without one. */
    val photo: StateFlow<String> = keptPhoto.flow

    /** Whether the camera's last photo could not be used. */
    val photoProblem: StateFlow<Boolean> = photoFailed.asStateFlow()
    val view: StateFlow<StopView?> = shown(Change.CUSTOMERS, Change.DAY) { stopView(customerId) }
    val plantName: String get() = phone.identity.plantName

    private fun counted(full: Map<String, Int>, empties: Map<String, Int>, cash: Cash, typed: String) =
        Count(full, empties, cash, Typed(typed, phone.identity.currency))

    private fun counted() = counted(keptFull.flow.value, keptEmpties.flow.value, keptCash.flow.value, keptTyped.flow.value)

    fun countFull(product: Product, count: Int) = handle.set("full", HashMap(keptFull.flow.value + (product.code.text to count)))

    fun countEmpties(product: Product, count: Int) =
        handle.set("empties", HashMap(keptEmpties.flow.value + (product.code.text to count)))

    fun choose(cash: Cash) = handle.set("cash", cash)

    fun type(typed: Typed) = handle.set("typed", typed.text)

    /** Where the camera is to put its photo. */
    fun photoFile(): File = photos.fresh().also { pendingPhoto = it.path }

    /** The camera is done; the app may have been killed meanwhile, and the file's name is still known. */
    fun photographed(taken: Boolean) {
        val file = File(pendingPhoto)
        pendingPhoto = ""
        photoFailed.value = false
        if (taken) viewModelScope.launch { adopt(file) }
    }

    fun photoImpossible() {
        photoFailed.value = true
    }

    private suspend fun adopt(file: File) = try {
        withContext(Dispatchers.IO) { photos.shrink(file) }
        handle["photo"] = file.path
    } catch (_: IOException) {
        photoFailed.value = true
    }

    fun removePhoto() = handle.set("photo", "")

    /** Records what was counted and the cash, both or neither. */
    fun confirm(view: StopView) {
        val count = counted()
        val lines = count.lines(view)
        val paid = count.paid(view)
        val photo = photo.value
        val customer = customerId
        recording.record {
            val pictures = listOf(photo).filter { it.isNotEmpty() }
            when {
                lines.isEmpty() -> collectCash(customer, paid)
                paid.minor > 0 -> confirmPaidDelivery(customer, lines, paid, photos = pictures)
                else -> confirmDelivery(customer, lines, photos = pictures)
            }
            if (photo.isNotEmpty()) photos.forget(File(photo))
        }
    }
}

private fun Carboy.stopView(id: CustomerId): StopView {
    val route = day().shift?.takeIf { it.finishedAt == null }?.route
    val stops = route?.let(::stops).orEmpty()
    val here = stops.indexOfFirst { it.customer.customer == id }
    val ahead = stops.drop(here + 1) + stops.take(maxOf(here, 0))
    val next = ahead.find { !it.state.isDone && it.customer.customer != id }?.customer
    return StopView(customer(id), products(), next?.customer, next?.name.orEmpty())
}
