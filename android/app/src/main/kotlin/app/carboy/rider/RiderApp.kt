package app.carboy.rider

import android.app.Application
import app.carboy.shell.CarboyShell

/** The process: it has a shell around the core for as long as it lives. */
class RiderApp : Application() {
    /** What every screen works with. */
    lateinit var shell: CarboyShell
        private set

    override fun onCreate() {
        super.onCreate()
        shell = CarboyShell(this)
    }
}
