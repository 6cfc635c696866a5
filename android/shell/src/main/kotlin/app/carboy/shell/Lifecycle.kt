package app.carboy.shell

import androidx.lifecycle.DefaultLifecycleObserver
import androidx.lifecycle.LifecycleOwner
import androidx.lifecycle.ProcessLifecycleOwner

/**
 * Says when the app comes to the front and when it goes; made and closed on the main thread.
 *
 * The core is never paused on Android: the system does not kill a process for the locks that it holds while it is
 * frozen, nobody else opens the file, and what is sent meanwhile is sent for good.
 */
internal class ForegroundWatch(private val shown: () -> Unit, private val hidden: () -> Unit) :
    DefaultLifecycleObserver, AutoCloseable {
    init {
        ProcessLifecycleOwner.get().lifecycle.addObserver(this)
    }

    override fun onStart(owner: LifecycleOwner) = shown()

    override fun onStop(owner: LifecycleOwner) = hidden()

    override fun close() = ProcessLifecycleOwner.get().lifecycle.removeObserver(this)
}
