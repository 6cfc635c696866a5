package app.carboy.shell

import android.app.Application
import android.net.ConnectivityManager
import android.os.Build
import android.os.Handler
import android.os.Looper
import app.carboy.CarboyException
import app.carboy.Config
import app.carboy.Enrolment
import app.carboy.LogLevel
import app.carboy.Rider
import app.carboy.SignOut
import app.carboy.SignedOut
import app.carboy.setLogSink
import java.io.File
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Deferred
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.async
import kotlinx.coroutines.cancel
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow
import kotlinx.coroutines.flow.filterNotNull
import kotlinx.coroutines.flow.first
import kotlinx.coroutines.launch
import kotlinx.coroutines.sync.Mutex
import kotlinx.coroutines.sync.withLock

/**
 * Everything a signed-in phone needs around the core: its network, background jobs, secrets, log, and who is signed in.
 * One per process, made in `Application.onCreate`, on the main thread. A process has no end on Android: [close] is for
 * tests.
 */
class CarboyShell(private val application: Application) : AutoCloseable {
    private val scope = CoroutineScope(SupervisorJob() + Dispatchers.Default)
    private val folder = File(application.noBackupFilesDir, "carboy")
    private val keys = Keys(File(folder, "secrets"))
    private val identities = IdentityFile(File(folder, "identity.json"))
    private val work = Work(application)

    /** Held by whoever opens, enrols or signs out: never two at a time. */
    private val changing = Mutex()
    private val present = MutableStateFlow<Session>(Session.Loading)
    private val openRider = MutableStateFlow<Rider?>(null)
    private val isStorageLow = MutableStateFlow(false)
    private var enrolling: Pair<EnrolLink, Deferred<Rider>>? = null

    private val network = NetworkWatch(
        checkNotNull(application.getSystemService(ConnectivityManager::class.java)),
        Handler(Looper.getMainLooper()),
    ) { online -> rider.value?.core?.networkChanged(online) }
    private val foreground = ForegroundWatch(::shown, ::hidden)

    /** Who works with this phone. */
    val session: StateFlow<Session> = present.asStateFlow()

    /** The rider who is signed in; nobody while it is not known or his store cannot be opened. */
    val rider: StateFlow<Rider?> = openRider.asStateFlow()

    /** What the network is good for. */
    val connection: StateFlow<Connection> get() = network.connection

    /** Whether the phone's storage is nearly full, as of when the app came to the front. */
    val storageLow: StateFlow<Boolean> = isStorageLow.asStateFlow()

    init {
        newest.value = this
        network.start()
        scope.launch {
            changing.withLock {
                // Loads the library: too slow for the main thread.
                setLogSink(LogcatSink(), LogLevel.INFO)
                become(found())
            }
        }
    }

    /**
     * Enrols this phone with the one-time [code] of the dashboard of [server], keeps what it needs among the phone's
     * secrets, and opens the rider's store. A second tap waits for the first one's end. Cancelling stops the waiting,
     * not the enrolment. A phone that is enrolled anew keeps what was recorded; another rider's store is closed, with
     * what waits in it.
     *
     * Fails with [CarboyException] as `enrol` and [Rider.open] do.
     */
    suspend fun enrol(server: String, code: String): Rider = enrolment(EnrolLink(server, code)).await()

    /**
     * Signs the rider out and forgets his token. Cancelling stops the waiting, not the signing out.
     *
     * Fails with [CarboyException.PendingWork] if [choice] wants everything sent and it is not: nothing has changed
     * then; with [CarboyException.SignedOut] if nobody is signed in.
     */
    suspend fun signOut(choice: SignOut): SignedOut = scope.async {
        changing.withLock {
            val (rider, identity) = present.value as? Session.SignedIn
                ?: throw CarboyException.SignedOut("nobody is signed in")
            val signedOut = rider.signOut(choice)
            work.stop()
            identities.delete()
            Tokens(keys, identity.account).forget()
            become(Session.SignedOut)
            signedOut
        }
    }.await()

    /**
     * To be called after an action: without a network, what was recorded is sent as soon as there is one, even if the
     * process is gone by then. With a network the core sends it at once, and the same job is asked for when the app
     * leaves the front before that. Costs next to nothing, on any thread.
     */
    fun acted() {
        if (!connection.value.online) work.sendSoon()
    }

    /** Opens the store again after [Session.Broken]; otherwise nothing happens. */
    fun retry() {
        scope.launch {
            changing.withLock { if (present.value is Session.Broken) become(found()) }
        }
    }

    /** Lets go of everything; on the main thread. */
    override fun close() {
        newest.compareAndSet(this, null)
        network.close()
        foreground.close()
        scope.cancel()
        rider.value?.close()
    }

    private fun shown() {
        rider.value?.core?.foregrounded()
        retry()
        scope.launch(Dispatchers.IO) { isStorageLow.value = application.noBackupFilesDir.usableSpace < LITTLE_STORAGE }
    }

    private fun hidden() {
        val status = rider.value?.status?.value ?: return
        if (status.pending > 0u || status.photos > 0u) work.sendSoon()
    }

    private fun enrolment(link: EnrolLink): Deferred<Rider> = synchronized(this) {
        enrolling?.let { (what, how) -> if (what == link && how.isActive) return how }
        val how = scope.async { changing.withLock { enrolNow(link) } }
        enrolling = link to how
        return how
    }

    private suspend fun enrolNow(link: EnrolLink): Rider {
        val name = "${Build.MANUFACTURER} ${Build.MODEL}"
        val enrolment: Enrolment = app.carboy.enrol(link.server, keys, link.code, name)
        val identity = Identity(link.server, enrolment)
        Tokens(keys, identity.account).keep(enrolment.token)
        // With this it has happened: a process that is killed before wakes up with nobody signed in.
        identities.write(identity)
        val before = present.value as? Session.SignedIn
        if (before?.identity?.account == identity.account && before.identity.server == identity.server) {
            before.rider.core.signedIn()
            become(before.copy(identity = identity))
            return before.rider
        }
        before?.rider?.close()
        return when (val session = found().also(::become)) {
            is Session.SignedIn -> session.rider
            is Session.Broken -> throw session.error
            Session.SignedOut, Session.Loading -> error("enrolled, and nobody is signed in")
        }
    }

    private suspend fun found(): Session = try {
        identities.read()?.let { Session.SignedIn(opened(it), it) } ?: Session.SignedOut
    } catch (error: CarboyException) {
        Session.Broken(error)
    }

    private suspend fun opened(identity: Identity): Rider {
        val config = with(identity) { Config(File(folder, "accounts").path, server, plant, account, currency) }
        return Rider.open(config, keys, Tokens(keys, identity.account))
    }

    private fun become(session: Session) {
        openRider.value = (session as? Session.SignedIn)?.rider
        if (session is Session.SignedIn) {
            network.repeat()
            work.spanSafetyNet()
        }
        present.value = session
    }

    companion object {
        /** Less than this may be gone with the next photos; the core keeps a reserve of its own for records. */
        private const val LITTLE_STORAGE = 100L * 1024 * 1024

        private val newest = MutableStateFlow<CarboyShell?>(null)

        /** The shell of this process, for a job: WorkManager may begin one before `Application.onCreate` is done. */
        internal suspend fun ofThisProcess(): CarboyShell = newest.filterNotNull().first()
    }
}
