package app.carboy.shell

import android.app.Application
import android.net.ConnectivityManager
import android.net.NetworkCapabilities.NET_CAPABILITY_NOT_METERED
import android.net.NetworkCapabilities.NET_CAPABILITY_NOT_SUSPENDED
import android.net.NetworkCapabilities.NET_CAPABILITY_VALIDATED
import android.os.Handler
import android.os.Looper
import androidx.test.core.app.ApplicationProvider
import app.carboy.testing.TestNetwork
import java.time.Duration
import org.junit.After
import org.junit.Assert.assertEquals
import org.junit.Before
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.Shadows.shadowOf
import org.robolectric.util.ReflectionHelpers

/** Every order of network callbacks that a real phone shows, and what the core is told. Time is the looper's. */
@RunWith(RobolectricTestRunner::class)
class NetworkWatchTest {
    private val application = ApplicationProvider.getApplicationContext<Application>()
    private val phone = TestNetwork(application)
    private val told = mutableListOf<Boolean>()
    private val watch = NetworkWatch(
        checkNotNull(application.getSystemService(ConnectivityManager::class.java)),
        Handler(Looper.getMainLooper()),
    ) { told += it }

    @Before
    fun start() = watch.start()

    @After
    fun stop() = watch.close()

    private fun pass(time: Duration) = shadowOf(Looper.getMainLooper()).idleFor(time)

    private fun assertTold(vararg online: Boolean) {
        assertEquals(online.toList(), told)
        assertEquals(online.last(), watch.connection.value.online)
    }

    @Test
    fun `a validated network is told at once`() {
        phone.wifi()
        assertTold(true)
        pass(HAND_OVER)
        assertTold(true)
    }

    @Test
    fun `a phone that starts without a network is offline, though no callback ever comes`() {
        pass(HAND_OVER)
        assertTold(false)
    }

    @Test
    fun `an available network is none before its capabilities say that it is validated`() {
        val network = phone.network()
        phone.available(network)
        phone.capabilities(network, NET_CAPABILITY_NOT_SUSPENDED)
        pass(HAND_OVER)
        assertTold(false)
        phone.capabilities(network, NET_CAPABILITY_NOT_SUSPENDED, NET_CAPABILITY_VALIDATED)
        assertTold(false, true)
    }

    @Test
    fun `a captive portal is no network until somebody has signed in to it`() {
        val portal = phone.unvalidated()
        pass(Duration.ofMinutes(5))
        assertTold(false)
        phone.join(portal, NET_CAPABILITY_VALIDATED)
        assertTold(false, true)
    }

    @Test
    fun `a network that loses its internet is a loss, and its return is told at once`() {
        val wifi = phone.wifi()
        phone.capabilities(wifi, NET_CAPABILITY_NOT_SUSPENDED)
        assertTold(true)
        pass(HAND_OVER)
        assertTold(true, false)
        phone.join(wifi, NET_CAPABILITY_VALIDATED)
        assertTold(true, false, true)
    }

    @Test
    fun `a hand-over from Wi-Fi to mobile is never a loss, and the new network is told once`() {
        val wifi = phone.wifi()
        phone.lost(wifi)
        pass(HAND_OVER.dividedBy(2))
        phone.mobile()
        pass(Duration.ofMinutes(1))
        assertTold(true, true)
    }

    @Test
    fun `a hand-over in which the new network comes before the old one goes is never a loss either`() {
        val wifi = phone.wifi()
        phone.mobile()
        phone.lost(wifi)
        pass(Duration.ofMinutes(1))
        assertTold(true, true)
    }

    @Test
    fun `a hand-over to a network that is not validated in time is a loss`() {
        phone.wifi()
        val mobile = phone.unvalidated()
        pass(HAND_OVER)
        assertTold(true, false)
        phone.join(mobile, NET_CAPABILITY_VALIDATED)
        assertTold(true, false, true)
    }

    @Test
    fun `airplane mode is a loss after a moment, and the network behind it is told at once`() {
        val mobile = phone.mobile()
        phone.lost(mobile)
        assertTold(true)
        pass(HAND_OVER)
        assertTold(true, false)
        pass(Duration.ofHours(3))
        phone.mobile()
        assertTold(true, false, true)
    }

    @Test
    fun `late callbacks for a network that is not the default one any more change nothing`() {
        val wifi = phone.wifi()
        phone.mobile()
        pass(HAND_OVER)
        told.clear()
        phone.capabilities(wifi, NET_CAPABILITY_NOT_SUSPENDED)
        phone.blocked(wifi, true)
        phone.lost(wifi)
        phone.lost(phone.network())
        pass(Duration.ofMinutes(1))
        assertEquals(listOf<Boolean>(), told)
        assertEquals(true, watch.connection.value.online)
    }

    @Test
    fun `capabilities of a lost network that come late do not bring it back`() {
        val wifi = phone.wifi()
        phone.lost(wifi)
        phone.capabilities(wifi, NET_CAPABILITY_VALIDATED, NET_CAPABILITY_NOT_SUSPENDED)
        pass(HAND_OVER)
        assertTold(true, false)
    }

    @Test
    fun `a network that the system keeps from this app is a loss while it does`() {
        val mobile = phone.mobile()
        phone.blocked(mobile, true)
        pass(HAND_OVER)
        assertTold(true, false)
        phone.blocked(mobile, false)
        assertTold(true, false, true)
    }

    @Test
    fun `a mobile network that is suspended, as during a call, is a loss`() {
        val mobile = phone.mobile()
        phone.capabilities(mobile, NET_CAPABILITY_VALIDATED)
        pass(HAND_OVER)
        assertTold(true, false)
    }

    @Test
    fun `before Android 9, where no network says that it is not suspended, a validated one is good`() {
        val version = android.os.Build.VERSION.SDK_INT
        ReflectionHelpers.setStaticField(android.os.Build.VERSION::class.java, "SDK_INT", 26)
        try {
            val mobile = phone.network()
            phone.available(mobile)
            phone.capabilities(mobile, NET_CAPABILITY_VALIDATED)
            assertTold(true)
        } finally {
            ReflectionHelpers.setStaticField(android.os.Build.VERSION::class.java, "SDK_INT", version)
        }
    }

    @Test
    fun `metered is known, follows the network, and is no reason to wake the core`() {
        val wifi = phone.wifi()
        assertEquals(Connection(online = true, metered = false), watch.connection.value)
        phone.capabilities(wifi, NET_CAPABILITY_VALIDATED, NET_CAPABILITY_NOT_SUSPENDED)
        assertEquals(Connection(online = true, metered = true), watch.connection.value)
        phone.capabilities(wifi, NET_CAPABILITY_VALIDATED, NET_CAPABILITY_NOT_SUSPENDED, NET_CAPABILITY_NOT_METERED)
        pass(HAND_OVER)
        assertTold(true)
        assertEquals(Connection(online = true, metered = false), watch.connection.value)
    }

    @Test
    fun `a validation that flickers faster than a hand-over is nothing at all`() {
        val wifi = phone.wifi()
        repeat(1_000) {
            phone.capabilities(wifi, NET_CAPABILITY_NOT_SUSPENDED)
            pass(HAND_OVER.dividedBy(3))
            phone.capabilities(wifi, NET_CAPABILITY_NOT_SUSPENDED, NET_CAPABILITY_VALIDATED)
            pass(HAND_OVER.dividedBy(3))
        }
        assertTold(true)
    }

    @Test
    fun `ten thousand signal strengths of one network are no news`() {
        val wifi = phone.wifi()
        repeat(10_000) { phone.join(wifi, NET_CAPABILITY_VALIDATED, NET_CAPABILITY_NOT_METERED) }
        pass(Duration.ofMinutes(1))
        assertTold(true)
    }

    @Test
    fun `a phone that jumps between networks faster than a hand-over has a network, and in the end hears the truth`() {
        var network = phone.wifi()
        repeat(1_000) {
            phone.lost(network)
            pass(HAND_OVER.dividedBy(3))
            network = if (it % 2 == 0) phone.mobile() else phone.wifi()
            pass(HAND_OVER.dividedBy(3))
        }
        assertTold(true)
        pass(HAND_OVER)
        assertTold(true, true)
        phone.lost(network)
        pass(HAND_OVER)
        assertTold(true, true, false)
    }

    @Test
    fun `a loss is not put off by what its network still says`() {
        val wifi = phone.wifi()
        repeat(4) {
            phone.capabilities(wifi, NET_CAPABILITY_NOT_SUSPENDED)
            pass(HAND_OVER.dividedBy(4))
        }
        assertTold(true, false)
    }

    @Test
    fun `who comes later is told what is true, and nobody once it is closed`() {
        val wifi = phone.wifi()
        phone.gone(wifi)
        watch.repeat()
        pass(Duration.ZERO)
        assertTold(true, false, false)
        watch.close()
        assertEquals(0, phone.watchers)
        watch.start()
        watch.close()
        pass(Duration.ofMinutes(1))
        assertTold(true, false, false)
    }
}
