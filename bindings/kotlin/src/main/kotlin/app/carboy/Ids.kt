/** Ids as the core gives them out: text that only the server and the core read, and a type for each kind of thing. */
package app.carboy

/**
 * The id of a [T], for example a [CustomerId]. A call that wants a customer does not take a route.
 *
 * @property text what the core calls it; fit for keeping and for a link within the app
 */
@JvmInline
value class Id<T : IdTag>(val text: String) {
    override fun toString() = text
}

/** What an [Id] may be of. There are no objects of it. */
sealed interface IdTag

/** Tags a [CustomerId]. */
sealed interface CustomerTag : IdTag

/** Tags a [RouteId]. */
sealed interface RouteTag : IdTag

/** Tags a [PlantId]. */
sealed interface PlantTag : IdTag

/** Tags an [AccountId]. */
sealed interface AccountTag : IdTag

/** Tags a [DeviceId]. */
sealed interface DeviceTag : IdTag

/** Tags a [TxnId]. */
sealed interface TxnTag : IdTag

/** Tags a [ProductCode]. */
sealed interface ProductTag : IdTag
