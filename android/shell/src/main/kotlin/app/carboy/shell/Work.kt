package app.carboy.shell

import android.content.Context
import android.util.Log
import androidx.work.BackoffPolicy
import androidx.work.Constraints
import androidx.work.CoroutineWorker
import androidx.work.ExistingPeriodicWorkPolicy
import androidx.work.ExistingWorkPolicy
import androidx.work.ForegroundInfo
import androidx.work.NetworkType
import androidx.work.OneTimeWorkRequestBuilder
import androidx.work.OutOfQuotaPolicy
import androidx.work.PeriodicWorkRequestBuilder
import androidx.work.WorkManager
import androidx.work.WorkerParameters
import app.carboy.CarboyException
import app.carboy.Rider
import app.carboy.SyncState
import java.time.Duration
import kotlinx.coroutines.flow.first

/** The job that sends what a process left behind. */
internal const val SEND_SOON = "carboy.send-soon"

/** The job that does so for a process that could not even ask for the other one. */
internal const val SAFETY_NET = "carboy.safety-net"

/** Somewhat less than the ten minutes that the system gives a job. */
private val WINDOW = Duration.ofMinutes(9)

/** Somewhat less than the minute that the system grants an expedited job at least. */
private val EXPEDITED_WINDOW = Duration.ofSeconds(50)

/** Grows by itself with each attempt: a server that is down for a night is asked some forty times. */
private val BACKOFF = Duration.ofSeconds(30)

/**
 * An hour: what is left for the safety net is a phone that crashed and was then not touched, and each run costs a
 * round trip. The shortest that the system allows, a quarter of it, would cost four times as much every night.
 */
private val SAFETY_PERIOD = Duration.ofHours(1)

private val CONNECTED = Constraints(requiredNetworkType = NetworkType.CONNECTED)

/** The background jobs of a signed-in phone. WorkManager keeps them over a restart of the phone and an update. */
internal class Work(private val context: Context) {
    // Asked anew each time: it is the application's to configure, and may not be ready yet when the shell is made.
    private val manager get() = WorkManager.getInstance(context)

    /** Sends as soon as there is a network. One that waits already, or runs, is enough: it sends all there is. */
    fun sendSoon() {
        val request = OneTimeWorkRequestBuilder<DrainWorker>()
            .addTag(SEND_SOON) // The name of unique work is none of its tags.
            .setConstraints(CONNECTED)
            .setExpedited(OutOfQuotaPolicy.RUN_AS_NON_EXPEDITED_WORK_REQUEST)
            .setBackoffCriteria(BackoffPolicy.LINEAR, BACKOFF)
            .build()
        manager.enqueueUniqueWork(SEND_SOON, ExistingWorkPolicy.KEEP, request)
    }

    /** Looks after it every [SAFETY_PERIOD] from now on. */
    fun spanSafetyNet() {
        val request = PeriodicWorkRequestBuilder<DrainWorker>(SAFETY_PERIOD)
            .setConstraints(CONNECTED)
            .setBackoffCriteria(BackoffPolicy.LINEAR, BACKOFF)
            .build()
        manager.enqueueUniquePeriodicWork(SAFETY_NET, ExistingPeriodicWorkPolicy.UPDATE, request)
    }

    /** Nobody is signed in: there is nothing to send. */
    fun stop() {
        manager.cancelUniqueWork(SEND_SOON)
        manager.cancelUniqueWork(SAFETY_NET)
    }
}

/** Drains the outbox in a window in the background. Stopped midway it leaves the exchange to the core. */
internal class DrainWorker(context: Context, parameters: WorkerParameters) : CoroutineWorker(context, parameters) {
    private val notices = Notices(context)

    override suspend fun doWork(): Result {
        val shell = CarboyShell.ofThisProcess()
        return when (val session = shell.session.first { it != Session.Loading }) {
            is Session.SignedIn -> drain(session.rider)
            // It is opened again when the rider looks; until then there is nothing to be had here.
            is Session.Broken -> Result.failure()
            Session.SignedOut, Session.Loading -> Result.success()
        }
    }

    /** For Android before 12, which runs an expedited job as a foreground service. */
    override suspend fun getForegroundInfo() = ForegroundInfo(Notices.SENDING, notices.sending())

    private suspend fun drain(rider: Rider): Result = try {
        val window = if (SEND_SOON in tags) EXPEDITED_WINDOW else WINDOW
        result(rider.drainFor(window).status.state)
    } catch (error: CarboyException) {
        Log.e("carboy", "the outbox could not be sent in the background", error)
        Result.retry()
    }

    private fun result(state: SyncState): Result = when (state) {
        SyncState.Idle -> Result.success().also { notices.clear() }
        SyncState.NeedsSignIn -> Result.failure().also { notices.needsSignIn() }
        SyncState.NeedsUpgrade -> Result.failure().also { notices.needsUpgrade() }
        // The window ended or the link did: what is left goes with the next attempt.
        SyncState.Sending, SyncState.Offline, SyncState.Paused, is SyncState.Waiting -> Result.retry()
    }
}
