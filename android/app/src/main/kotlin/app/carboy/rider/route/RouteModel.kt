package app.carboy.rider.route

import androidx.lifecycle.SavedStateHandle
import app.carboy.Attention
import app.carboy.Carboy
import app.carboy.Change
import app.carboy.CustomerId
import app.carboy.Route
import app.carboy.RouteId
import app.carboy.Stop
import app.carboy.rider.Kept
import app.carboy.rider.Phone
import app.carboy.rider.ScreenModel
import kotlinx.coroutines.flow.StateFlow

/** How many of the things that need the rider are looked at for the marks on the route. */
private const val MARKED = 200u

/** What the route's screen shows. */
sealed interface Round {
    /** No shift is open. */
    data class BeforeShift(val routes: List<Route>) : Round

    /**
     * @property name the route's
     * @property needing the customers about whom something needs the rider
     */
    data class UnderWay(val name: String, val stops: List<Stop>, val needing: Set<CustomerId>) : Round
}

/** Today's route. */
class RouteModel(phone: Phone, handle: SavedStateHandle) : ScreenModel(phone, handle) {
    private val kept = Kept(handle, "route", "")
    private var choice by kept

    /** The route that was chosen for the shift, as text; empty if none was. */
    val chosen: StateFlow<String> = kept.flow
    val round: StateFlow<Round?> = shown(Change.CUSTOMERS, Change.DAY, Change.OUTBOX, Change.ATTENTION) { round() }

    fun choose(route: RouteId) {
        choice = route.text
    }

    fun start(route: RouteId?) = recording.again { startShift(route) }
}

private fun Carboy.round(): Round {
    val shift = day().shift?.takeIf { it.finishedAt == null }
    val routes = routes()
    if (shift == null) return Round.BeforeShift(routes)
    val route = shift.route
    val needing = attention(limit = MARKED).mapNotNull { item ->
        when (item) {
            is Attention.Mutation -> item.refused.customer
            is Attention.Edit -> item.lost.customer
            is Attention.File -> null
        }
    }
    val name = routes.find { it.route == route }?.name.orEmpty()
    return Round.UnderWay(name, route?.let(::stops).orEmpty(), needing.toSet())
}
