package app.carboy.shell

import android.net.ConnectivityManager
import android.net.Network
import android.net.NetworkCapabilities
import android.os.Build
import android.os.Handler
import java.time.Duration
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow

/** What the phone's network is good for. */
data class Connection(
    /** Whether the internet answers, as the system has found out: false behind a captive portal, too. */
    val online: Boolean,
    /** Whether what is sent may cost money, and how much is to be sent matters. */
    val metered: Boolean,
)

/** How long a change has to last before it is one: a hand-over from Wi-Fi to mobile takes less. */
internal val HAND_OVER: Duration = Duration.ofSeconds(1)

/**
 * Watches the phone's default network and tells the core the truth about it, by [tell], but not every flicker.
 *
 * Good news after a loss is told at once, because a link between two tunnels is short. Everything else is told once it
 * has lasted for [HAND_OVER]: a loss, and also another network in place of the last, because that one is worth a try
 * where the last one was not.
 *
 * Everything is told and decided on [handler]'s thread. Only what the callbacks bring counts: asking
 * [ConnectivityManager] within its own callbacks answers with what was or what will be.
 */
internal class NetworkWatch(
    private val connectivity: ConnectivityManager,
    private val handler: Handler,
    private val tell: (online: Boolean) -> Unit,
) : ConnectivityManager.NetworkCallback(), AutoCloseable {
    private var network: Network? = null
    private var capabilities: NetworkCapabilities? = null
    private var isBlocked = false

    /** The network that is good at the moment, and the one that the core believes in. */
    private var usable: Network? = null
    private var told: Network? = null
    private val settle = Runnable { settled() }

    private val newest = MutableStateFlow(Connection(online = false, metered = true))

    /** What the core was told last; offline until the system has said something. */
    val connection: StateFlow<Connection> = newest.asStateFlow()

    /** Begins to watch. A phone without a network gets no callback at all: silence counts as a loss. */
    fun start() {
        connectivity.registerDefaultNetworkCallback(this, handler)
        handler.postDelayed(settle, HAND_OVER.toMillis())
    }

    override fun close() {
        connectivity.unregisterNetworkCallback(this)
        handler.removeCallbacks(settle)
    }

    /** Tells once more what was told last, for a core that was not there then. */
    fun repeat() {
        handler.post { tell(told != null) }
    }

    override fun onAvailable(network: Network) {
        if (network != this.network) become(network)
    }

    override fun onCapabilitiesChanged(network: Network, networkCapabilities: NetworkCapabilities) {
        // A callback for a network that is not the default one any more may come late.
        if (network != this.network) return
        capabilities = networkCapabilities
        changed()
    }

    override fun onBlockedStatusChanged(network: Network, blocked: Boolean) {
        if (network != this.network) return
        isBlocked = blocked
        changed()
    }

    override fun onLost(network: Network) {
        if (network == this.network) become(null)
    }

    private fun become(network: Network?) {
        this.network = network
        capabilities = null
        isBlocked = false
        changed()
    }

    private fun changed() {
        val now = network.takeIf { !isBlocked && capabilities?.isUsable() == true }
        if (now != usable) {
            usable = now
            handler.removeCallbacks(settle)
            when (told) {
                now -> Unit
                null -> settled()
                else -> handler.postDelayed(settle, HAND_OVER.toMillis())
            }
        }
        publish()
    }

    private fun settled() {
        told = usable
        publish()
        tell(told != null)
    }

    private fun publish() {
        val isFree = capabilities?.hasCapability(NetworkCapabilities.NET_CAPABILITY_NOT_METERED) == true
        newest.value = Connection(online = told != null, metered = told == null || !isFree)
    }
}

private fun NetworkCapabilities.isUsable(): Boolean {
    // Before Android 9 no network has this one, and every validated network would look suspended.
    val isSuspended = Build.VERSION.SDK_INT >= Build.VERSION_CODES.P &&
        !hasCapability(NetworkCapabilities.NET_CAPABILITY_NOT_SUSPENDED)
    return hasCapability(NetworkCapabilities.NET_CAPABILITY_VALIDATED) && !isSuspended
}
