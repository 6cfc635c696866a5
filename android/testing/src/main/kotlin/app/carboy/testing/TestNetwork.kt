package app.carboy.testing

import android.app.Application
import android.net.ConnectivityManager
import android.net.Network
import android.net.NetworkCapabilities
import android.net.NetworkCapabilities.NET_CAPABILITY_NOT_METERED
import android.net.NetworkCapabilities.NET_CAPABILITY_NOT_SUSPENDED
import android.net.NetworkCapabilities.NET_CAPABILITY_VALIDATED
import android.os.Looper
import org.robolectric.Shadows.shadowOf
import org.robolectric.shadows.ShadowNetwork
import org.robolectric.shadows.ShadowNetworkCapabilities

/**
 * The phone's networks. Robolectric fires no network callbacks: this calls those that are registered, in the orders in
 * which a phone does, on the main thread, where the tests run.
 */
class TestNetwork(application: Application) {
    private val manager = checkNotNull(application.getSystemService(ConnectivityManager::class.java))
    private var last = 100
    private var present: Pair<Network, IntArray>? = null

    /** How many callbacks are registered. */
    val watchers: Int get() = shadowOf(manager).networkCallbacks.size

    /** A network that the phone has just joined, and that nobody has been told of. */
    fun network(): Network = ShadowNetwork.newInstance(++last)

    /** The phone is on a Wi-Fi that the internet answers on. */
    fun wifi(): Network = network().also { join(it, NET_CAPABILITY_VALIDATED, NET_CAPABILITY_NOT_METERED) }

    /** The phone is on a mobile network that the internet answers on. */
    fun mobile(): Network = network().also { join(it, NET_CAPABILITY_VALIDATED) }

    /** The phone is on a network with nothing behind it: not looked into yet, or a captive portal. */
    fun unvalidated(): Network = network().also { join(it) }

    /** The default network is this one now, with these capabilities. */
    fun join(network: Network, vararg capabilities: Int) {
        present = network to capabilities
        available(network)
        capabilities(network, *capabilities, NET_CAPABILITY_NOT_SUSPENDED)
        tell { it.onBlockedStatusChanged(network, false) }
    }

    fun available(network: Network) = tell { it.onAvailable(network) }

    /** These and no others are the network's capabilities now. */
    fun capabilities(network: Network, vararg capabilities: Int) {
        val all = ShadowNetworkCapabilities.newInstance()
        capabilities.forEach { shadowOf(all).addCapability(it) }
        tell { it.onCapabilitiesChanged(network, all) }
    }

    fun blocked(network: Network, isBlocked: Boolean) = tell { it.onBlockedStatusChanged(network, isBlocked) }

    fun lost(network: Network) {
        if (present?.first == network) present = null
        tell { it.onLost(network) }
    }

    /** What a phone tells somebody who has just registered: the network that it is on, if it is on one. */
    fun registered() {
        present?.let { (network, capabilities) -> join(network, *capabilities) }
    }

    /** The network is lost for good: nothing comes in its place. */
    fun gone(network: Network) {
        lost(network)
        shadowOf(Looper.getMainLooper()).idleFor(java.time.Duration.ofMinutes(1))
    }

    private fun tell(how: (ConnectivityManager.NetworkCallback) -> Unit) = shadowOf(manager).networkCallbacks.forEach(how)
}
