package app.carboy.rider.enrol

import androidx.lifecycle.SavedStateHandle
import androidx.lifecycle.ViewModel
import androidx.lifecycle.viewModelScope
import app.carboy.CarboyException
import app.carboy.rider.Kept
import app.carboy.shell.CarboyShell
import app.carboy.shell.EnrolLink
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow
import kotlinx.coroutines.launch

/** How it stands with enrolling. */
sealed interface Enrolling {
    data object Typing : Enrolling

    data object UnderWay : Enrolling

    /** The code that was scanned is none of the dashboard's. */
    data object NoLink : Enrolling

    data class Failed(val error: CarboyException) : Enrolling

    data object Done : Enrolling
}

/** Signing in with the one-time code of the dashboard. */
class EnrolModel(private val shell: CarboyShell, handle: SavedStateHandle) : ViewModel() {
    private val keptServer = Kept(handle, "server", "")
    private val keptCode = Kept(handle, "code", "")
    private var serverText by keptServer
    private var codeText by keptCode
    private val now = MutableStateFlow<Enrolling>(Enrolling.Typing)

    val server: StateFlow<String> = keptServer.flow
    val code: StateFlow<String> = keptCode.flow
    val enrolling: StateFlow<Enrolling> = now.asStateFlow()

    fun typeServer(text: String) {
        serverText = text
        now.value = Enrolling.Typing
    }

    fun typeCode(text: String) {
        codeText = text
        now.value = Enrolling.Typing
    }

    /** What the rider has scanned: nothing is left to be typed. */
    fun scanned(text: String) {
        if (fill(text)) enrol()
    }

    /** What another app has opened. Any web page can: the rider sees the server's address before anything is sent to it. */
    fun opened(text: String) {
        fill(text)
    }

    private fun fill(text: String): Boolean {
        val link = EnrolLink.parse(text)
        now.value = if (link == null) Enrolling.NoLink else Enrolling.Typing
        if (link == null) return false
        serverText = link.server
        codeText = link.code
        return true
    }

    fun enrol() {
        if (now.value == Enrolling.UnderWay) return
        now.value = Enrolling.UnderWay
        viewModelScope.launch {
            now.value = try {
                shell.enrol(address(serverText), codeText.trim())
                codeText = ""
                Enrolling.Done
            } catch (error: CarboyException) {
                Enrolling.Failed(error)
            }
        }
    }

    /** People leave the scheme out; a plant's own address in a workshop's network says `http` itself. */
    private fun address(typed: String): String {
        val text = typed.trim().trimEnd('/')
        return if ("://" in text) text else "https://$text"
    }
}
