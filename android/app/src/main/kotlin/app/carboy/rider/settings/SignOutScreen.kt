package app.carboy.rider.settings

import androidx.compose.runtime.Composable
import androidx.compose.runtime.getValue
import androidx.compose.ui.platform.LocalContext
import androidx.compose.ui.res.stringResource
import androidx.lifecycle.SavedStateHandle
import androidx.lifecycle.compose.collectAsStateWithLifecycle
import androidx.lifecycle.viewModelScope
import app.carboy.CarboyException
import app.carboy.SignOut
import app.carboy.Status
import app.carboy.rider.Kept
import app.carboy.rider.Phone
import app.carboy.rider.Problem
import app.carboy.rider.R
import app.carboy.rider.ScreenModel
import app.carboy.rider.shareFile
import app.carboy.rider.sharedFolder
import app.carboy.rider.ui.Choices
import app.carboy.rider.ui.FormScreen
import app.carboy.rider.ui.Line
import app.carboy.rider.ui.MainButton
import app.carboy.rider.ui.write
import java.io.File
import java.time.Duration
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow
import kotlinx.coroutines.launch

/** As long as a rider stands and waits for it. */
private val SENDING_WINDOW = Duration.ofSeconds(60)

/** What is to become of work that is not sent. */
enum class Leaving {
    Send,
    Keep,
    Export,
}

/** How it stands with signing out. */
sealed interface SigningOut {
    data object Asked : SigningOut

    data object UnderWay : SigningOut

    data class Failed(val error: CarboyException) : SigningOut
}

/** Signing out, with what is to become of unsent work. */
class SignOutModel(phone: Phone, handle: SavedStateHandle) : ScreenModel(phone, handle) {
    private val keptLeaving = Kept(handle, "leaving", Leaving.Send)
    private val now = MutableStateFlow<SigningOut>(SigningOut.Asked)

    val leaving: StateFlow<Leaving> = keptLeaving.flow
    val state: StateFlow<SigningOut> = now.asStateFlow()
    val status: StateFlow<Status> = phone.rider.status

    fun choose(leaving: Leaving) = handle.set("leaving", leaving)

    /** Signs out; [onExported] gets the file with what was not sent, if there is to be one. */
    fun signOut(folder: File, onExported: (File) -> Unit) {
        if (now.value == SigningOut.UnderWay) return
        now.value = SigningOut.UnderWay
        val file = File(folder, "carboy-outbox-${phone.identity.account}.json")
        val choice = when {
            !hasWork(status.value) -> SignOut.IfDone
            leaving.value == Leaving.Send -> SignOut.SendFirst(SENDING_WINDOW)
            leaving.value == Leaving.Keep -> SignOut.KeepSealed
            else -> SignOut.Export(file.path)
        }
        viewModelScope.launch {
            try {
                phone.shell.signOut(choice)
                if (choice is SignOut.Export) onExported(file)
            } catch (error: CarboyException) {
                now.value = SigningOut.Failed(error)
            }
        }
    }
}

/** Whether something waits to be sent or for the rider. */
private fun hasWork(status: Status) = status.pending > 0u || status.photos > 0u || status.attention > 0u

@Composable
fun SignOutScreen(model: SignOutModel, onBack: () -> Unit) {
    val status by model.status.collectAsStateWithLifecycle()
    val leaving by model.leaving.collectAsStateWithLifecycle()
    val state by model.state.collectAsStateWithLifecycle()
    val context = LocalContext.current
    val write = write()
    val isBusy = state == SigningOut.UnderWay
    FormScreen(
        stringResource(R.string.sign_out_title),
        onBack,
        actions = {
            (state as? SigningOut.Failed)?.let { Problem(it.error) }
            val text = stringResource(if (isBusy) R.string.sign_out_busy else R.string.sign_out_title)
            MainButton(text, { model.signOut(context.sharedFolder()) { context.shareFile(it) } }, enabled = !isBusy)
        },
    ) {
        if (hasWork(status)) {
            Line(write.many(R.plurals.sign_out_waiting, status.pending.toLong()))
            val options = listOf(
                Leaving.Send to stringResource(R.string.sign_out_send),
                Leaving.Keep to stringResource(R.string.sign_out_keep),
                Leaving.Export to stringResource(R.string.sign_out_export),
            )
            Choices(options, leaving, model::choose)
        } else {
            Line(stringResource(R.string.sign_out_done))
        }
    }
}
