package app.carboy.shell

import android.app.Application
import android.os.Looper
import android.util.Log
import androidx.test.core.app.ApplicationProvider
import androidx.work.Configuration
import androidx.work.WorkManager
import androidx.work.testing.WorkManagerTestInitHelper
import app.carboy.CustomerId
import app.carboy.Money
import app.carboy.Receipt
import app.carboy.Rider
import app.carboy.testing.TestKeystore
import app.carboy.testing.TestNetwork
import app.carboy.testing.TestServer
import java.io.File
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import org.junit.After
import org.junit.AfterClass
import org.junit.Before
import org.junit.BeforeClass
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.Shadows.shadowOf

/** A phone with its shell, the real core and the real server; the tests are the main thread. */
@RunWith(RobolectricTestRunner::class)
abstract class ShellTest {
    protected val application: Application = ApplicationProvider.getApplicationContext()
    protected val keystore = TestKeystore.install()
    protected val network = TestNetwork(application)
    protected val folder = File(application.noBackupFilesDir, "carboy")
    protected val manager: WorkManager get() = WorkManager.getInstance(application)
    private val shells = mutableListOf<CarboyShell>()

    @Before
    fun prepareWork() {
        val configuration = Configuration.Builder().setMinimumLoggingLevel(Log.ERROR).build()
        WorkManagerTestInitHelper.initializeTestWorkManager(application, configuration)
    }

    @After
    fun closeShells() {
        shells.forEach { it.close() }
        WorkManagerTestInitHelper.closeWorkDatabase()
    }

    /** A process starts. */
    protected fun start(): CarboyShell = CarboyShell(application).also {
        shells += it
        network.registered()
    }

    /** A process starts, signed in as a rider who has just enrolled and has the plant's customers. */
    protected fun startEnrolled(address: String = server.address): CarboyShell = start().also { shell ->
        network.wifi()
        runBlocking { shell.enrol(address, server.code()) }
        val rider = shell.signedIn()
        runBlocking { rider.syncNow() }
    }

    /** What the main thread has to do is done. */
    protected fun idle() = shadowOf(Looper.getMainLooper()).idle()

    /** The session once it is one of that kind. */
    protected inline fun <reified T : Session> CarboyShell.awaitSession(): T =
        runBlocking { withTimeout(30_000) { session.first { it is T } as T } }

    /** The rider, whose core has heard of the network. */
    protected fun CarboyShell.signedIn(): Rider = awaitSession<Session.SignedIn>().rider.also { idle() }

    protected fun Rider.anyCustomer(): CustomerId = core.customers(limit = 1u).single().customer

    protected fun Rider.collect(minor: Long): Receipt =
        runBlocking { record { collectCash(anyCustomer(), Money(minor, "KES")) } }

    companion object {
        lateinit var server: TestServer

        @BeforeClass
        @JvmStatic
        fun startServer() {
            server = TestServer()
        }

        @AfterClass
        @JvmStatic
        fun stopServer() = server.close()
    }
}
