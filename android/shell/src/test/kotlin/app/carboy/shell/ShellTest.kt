package app.carboy.shell

import android.app.Application
import androidx.work.WorkManager
import app.carboy.CustomerId
import app.carboy.Money
import app.carboy.Receipt
import app.carboy.Rider
import app.carboy.testing.PhoneTest
import java.io.File
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import org.junit.After

/** A phone with its shell and the real core. */
abstract class ShellTest : PhoneTest<Application>() {
    protected val folder = File(application.noBackupFilesDir, "carboy")
    protected val manager: WorkManager get() = WorkManager.getInstance(application)
    private val shells = mutableListOf<CarboyShell>()

    @After
    fun closeShells() = shells.forEach { it.close() }

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

    /** The session once it is one of that kind. */
    protected inline fun <reified T : Session> CarboyShell.awaitSession(): T =
        runBlocking { withTimeout(30_000) { session.first { it is T } as T } }

    /** The rider, whose core has heard of the network. */
    protected fun CarboyShell.signedIn(): Rider = awaitSession<Session.SignedIn>().rider.also { idle() }

    protected fun Rider.anyCustomer(): CustomerId = core.customers(limit = 1u).single().customer

    protected fun Rider.collect(minor: Long): Receipt =
        runBlocking { record { collectCash(anyCustomer(), Money(minor, "KES")) } }
}
