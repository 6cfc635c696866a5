package app.carboy.rider

import androidx.compose.runtime.Composable
import androidx.lifecycle.SavedStateHandle
import androidx.lifecycle.ViewModel
import androidx.lifecycle.createSavedStateHandle
import androidx.lifecycle.viewModelScope
import androidx.lifecycle.viewmodel.compose.viewModel
import app.carboy.Carboy
import app.carboy.CarboyException
import app.carboy.Change
import app.carboy.CustomerId
import app.carboy.Rider
import app.carboy.shell.CarboyShell
import app.carboy.shell.Identity
import kotlin.properties.ReadWriteProperty
import kotlin.reflect.KProperty
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.SharingStarted
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow
import kotlinx.coroutines.flow.catch
import kotlinx.coroutines.flow.stateIn

/** How long a screen's data is kept up to date after it went: as long as turning the phone may take. */
private const val TURNING_MILLIS = 5_000L

/** What every screen of a signed-in rider works with. */
data class Phone(val shell: CarboyShell, val rider: Rider, val identity: Identity)

/**
 * What a screen shows and does. What was typed and chosen stands in [handle], which outlives the process; everything
 * else comes from the store.
 */
abstract class ScreenModel(protected val phone: Phone, protected val handle: SavedStateHandle) : ViewModel() {
    private val failed = MutableStateFlow<CarboyException?>(null)

    /** Why what is shown could not be read. */
    val failure: StateFlow<CarboyException?> = failed.asStateFlow()

    /** The customer whom the screen's route names. */
    protected val customerId: CustomerId get() = CustomerId(checkNotNull(handle[CUSTOMER]) { "the screen has no customer" })

    /** The one record that the screen is for. */
    val recording: Recording by lazy { Recording(phone, handle, viewModelScope) }

    /** What `query` answers, kept up to date while the screen is there; null until it is read. */
    protected fun <T : Any> shown(vararg on: Change, query: Carboy.() -> T): StateFlow<T?> =
        kept(phone.rider.watch(*on, query = query))

    /** The same for a flow that is put together. */
    protected fun <T : Any> kept(flow: Flow<T>): StateFlow<T?> = flow
        .catch { error -> if (error is CarboyException) failed.value = error else throw error }
        .stateIn(viewModelScope, SharingStarted.WhileSubscribed(TURNING_MILLIS), null)

    companion object {
        /** The part of a route that names a customer. */
        const val CUSTOMER = "customer"
    }
}

/** A value that stands in a [SavedStateHandle]: typed or chosen, and there again after the process was killed. */
class Kept<T : Any>(private val handle: SavedStateHandle, private val name: String, initial: T) :
    ReadWriteProperty<Any, T> {
    /** Every value from now on. */
    val flow: StateFlow<T> = handle.getStateFlow(name, initial)

    override fun getValue(thisRef: Any, property: KProperty<*>): T = flow.value

    override fun setValue(thisRef: Any, property: KProperty<*>, value: T) = handle.set(name, value)
}

/** The screen's model, made once for as long as the screen is on the way back. */
@Composable
inline fun <reified T : ViewModel> screenModel(noinline make: (SavedStateHandle) -> T): T =
    viewModel { make(createSavedStateHandle()) }
