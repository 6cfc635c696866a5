package app.carboy.shell

import android.app.Notification
import android.app.NotificationManager
import androidx.work.ListenableWorker.Result
import androidx.work.NetworkType
import androidx.work.WorkInfo
import androidx.work.testing.TestListenableWorkerBuilder
import androidx.work.testing.WorkManagerTestInitHelper
import app.carboy.SignOut
import app.carboy.SyncState
import app.carboy.testing.TestLink
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.CoroutineStart
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.async
import kotlinx.coroutines.cancelAndJoin
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.withTimeout
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Test
import org.robolectric.Shadows.shadowOf

/** The background jobs: when they are asked for, what they send, and what becomes of a window that is cut short. */
class WorkTest : ShellTest() {
    private val notifications = checkNotNull(application.getSystemService(NotificationManager::class.java))

    private fun job(name: String): WorkInfo? = manager.getWorkInfosForUniqueWork(name).get().singleOrNull()

    private fun worker() = TestListenableWorkerBuilder.from(application, DrainWorker::class.java).build()

    private fun runWorker(): Result = runBlocking { worker().doWork() }

    private fun loseNetwork() {
        network.gone(network.wifi())
        idle()
    }

    @Test
    fun `a signed-in phone has a safety net, and a signed-out one no job at all`() {
        val shell = startEnrolled()
        val net = checkNotNull(job(SAFETY_NET))
        assertEquals(WorkInfo.State.ENQUEUED to NetworkType.CONNECTED, net.state to net.constraints.requiredNetworkType)
        loseNetwork()
        shell.signedIn().collect(100)
        shell.acted()
        runBlocking { shell.signOut(SignOut.KeepSealed) }
        assertEquals(setOf(WorkInfo.State.CANCELLED), setOf(job(SAFETY_NET)?.state, job(SEND_SOON)?.state))
    }

    @Test
    fun `a restart of the process keeps the safety net that there is`() {
        val shell = startEnrolled()
        val before = checkNotNull(job(SAFETY_NET)).id
        shell.close()
        start().signedIn()
        assertEquals(before, job(SAFETY_NET)?.id)
    }

    @Test
    fun `an action without a network asks for one job, however many follow, and with one for none`() {
        val shell = startEnrolled()
        shell.acted()
        assertEquals(null, job(SEND_SOON))
        loseNetwork()
        repeat(20) { shell.acted() }
        val job = checkNotNull(job(SEND_SOON))
        assertEquals(WorkInfo.State.ENQUEUED to NetworkType.CONNECTED, job.state to job.constraints.requiredNetworkType)
        // What tells the worker that the system gives it a minute, and not ten.
        assertEquals(true to false, (SEND_SOON in job.tags) to (SEND_SOON in checkNotNull(job(SAFETY_NET)).tags))
    }

    @Test
    fun `the job begins when its network is there, and sends what hours without one have gathered`() {
        val shell = startEnrolled()
        val rider = shell.signedIn()
        loseNetwork()
        repeat(12) { rider.collect(100) }
        shell.acted()
        val id = checkNotNull(job(SEND_SOON)).id
        network.mobile()
        checkNotNull(WorkManagerTestInitHelper.getTestDriver(application)).setAllConstraintsMet(id)
        val done = runBlocking { withTimeout(30_000) { manager.getWorkInfoByIdFlow(id).first { it!!.state.isFinished } } }
        assertEquals(WorkInfo.State.SUCCEEDED, done?.state)
        assertEquals(0uL, rider.core.status().pending)
    }

    @Test
    fun `a job in a process that has just begun waits until the store is open`() {
        startEnrolled().close()
        val early = worker()
        val result = CoroutineScope(Dispatchers.Default).async(start = CoroutineStart.UNDISPATCHED) { early.doWork() }
        assertFalse(result.isCompleted)
        start()
        assertEquals(Result.success(), runBlocking { result.await() })
    }

    @Test
    fun `without a rider there is nothing to do, and with a store that cannot be opened nothing to be had`() {
        val shell = startEnrolled()
        val identity = folder.resolve("identity.json")
        shell.close()
        identity.writeText("damaged")
        start().awaitSession<Session.Broken>()
        assertEquals(Result.failure(), runWorker())
        identity.delete()
        start().awaitSession<Session.SignedOut>()
        assertEquals(Result.success(), runWorker())
    }

    @Test
    fun `without a usable network or with a server that is not there, the job comes again`() {
        val link = TestLink(server.address)
        val shell = startEnrolled(link.address)
        loseNetwork()
        shell.signedIn().collect(100)
        assertEquals(Result.retry(), runWorker())
        link.close()
        network.wifi()
        // Within a window the core tries again by itself; the system ends this one.
        runBlocking(Dispatchers.Default) { async { worker().doWork() }.cancelAndJoin() }
        assertEquals(1uL, shell.signedIn().core.status().pending)
    }

    @Test
    fun `a server that wants a new sign-in ends the job, and the rider is told until it is mended`() {
        val shell = startEnrolled()
        keystore.held.clear()
        shell.signedIn().core.signedIn()
        assertEquals(Result.failure(), runWorker())
        val notice = checkNotNull(shadowOf(notifications).getNotification(Notices.NEEDED))
        val title = notice.extras.getString(Notification.EXTRA_TITLE)
        assertEquals(application.getString(R.string.carboy_needs_sign_in), title)
        assertEquals(SyncState.NeedsSignIn, shell.signedIn().core.status().state)
    }

    @Test
    fun `a job that the system stops in the middle leaves the outbox whole, and a later one sends it once`() {
        TestLink(server.address).use { link ->
            val shell = startEnrolled(link.address)
            val rider = shell.signedIn()
            val owed = rider.core.customer(rider.anyCustomer()).balance.minor
            loseNetwork()
            repeat(7) { rider.collect(100) }
            link.hold()
            network.mobile()
            runBlocking(Dispatchers.Default) {
                val job = async { worker().doWork() }
                link.awaitHeld()
                job.cancelAndJoin()
            }
            assertEquals(7uL, rider.core.status().pending)
            assertEquals(7, rider.core.waiting().size)
            link.release()
            assertEquals(Result.success(), runWorker())
            assertEquals(0uL, rider.core.status().pending)
            assertEquals(owed - 700, rider.core.customer(rider.anyCustomer()).balance.minor)
        }
    }

    @Test
    fun `before Android 12 the job shows that it sends`() {
        val info = runBlocking { worker().getForegroundInfo() }
        assertEquals(Notices.SENDING, info.notificationId)
        val channel = notifications.getNotificationChannel(info.notification.channelId)
        assertEquals(NotificationManager.IMPORTANCE_LOW, channel.importance)
    }
}
