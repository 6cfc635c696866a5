package app.carboy.rider.settings

import androidx.compose.foundation.layout.size
import androidx.compose.foundation.lazy.LazyListScope
import androidx.compose.material3.Icon
import androidx.compose.material3.MaterialTheme
import androidx.compose.material3.Text
import androidx.compose.runtime.Composable
import androidx.compose.runtime.LaunchedEffect
import androidx.compose.runtime.getValue
import androidx.compose.ui.Modifier
import androidx.compose.ui.platform.LocalContext
import androidx.compose.ui.res.painterResource
import androidx.compose.ui.res.stringResource
import androidx.compose.ui.unit.dp
import androidx.lifecycle.SavedStateHandle
import androidx.lifecycle.compose.collectAsStateWithLifecycle
import androidx.lifecycle.viewModelScope
import app.carboy.CarboyException
import app.carboy.Status
import app.carboy.rider.Phone
import app.carboy.rider.Problem
import app.carboy.rider.R
import app.carboy.rider.ScreenModel
import app.carboy.rider.customer.Fact
import app.carboy.rider.shareFile
import app.carboy.rider.sharedFolder
import app.carboy.rider.ui.Entry
import app.carboy.rider.ui.ListScreen
import app.carboy.rider.ui.isTextLarge
import app.carboy.rider.ui.write
import java.io.File
import kotlinx.coroutines.flow.MutableStateFlow
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.asStateFlow
import kotlinx.coroutines.launch

/** Everything that is no part of the round. */
class MoreModel(phone: Phone, handle: SavedStateHandle) : ScreenModel(phone, handle) {
    private val made = MutableStateFlow<File?>(null)
    private val problem = MutableStateFlow<CarboyException?>(null)

    val status: StateFlow<Status> = phone.rider.status
    val accountName: String get() = phone.identity.accountName
    val plantName: String get() = phone.identity.plantName
    val server: String get() = phone.identity.server

    /** The file for support, once it is made and until it is shared. */
    val diagnostics: StateFlow<File?> = made.asStateFlow()
    val diagnosticsProblem: StateFlow<CarboyException?> = problem.asStateFlow()

    /** Makes a file for support in [folder]. */
    fun makeDiagnostics(folder: File) {
        val file = File(folder, "carboy-diagnostics.json")
        viewModelScope.launch {
            try {
                phone.rider.ask { exportDiagnostics(file.path) }
                made.value = file
                problem.value = null
            } catch (error: CarboyException) {
                problem.value = error
            }
        }
    }

    fun shared() {
        made.value = null
    }
}

/** Where the screen leads to. */
class MoreExits(
    val waiting: () -> Unit,
    val attention: () -> Unit,
    val records: () -> Unit,
    val language: () -> Unit,
    val signIn: () -> Unit,
    val signOut: () -> Unit,
)

@Composable
fun MoreScreen(model: MoreModel, exits: MoreExits) {
    val status by model.status.collectAsStateWithLifecycle()
    val diagnostics by model.diagnostics.collectAsStateWithLifecycle()
    val problem by model.diagnosticsProblem.collectAsStateWithLifecycle()
    val context = LocalContext.current
    val write = write()
    LaunchedEffect(diagnostics) {
        diagnostics?.let {
            model.shared()
            context.shareFile(it)
        }
    }
    ListScreen(stringResource(R.string.more_title)) {
        problem?.let { item(key = "problem") { Problem(it) } }
        item(key = "who") { Fact(model.plantName, write.name(model.accountName)) }
        val waiting = write.many(R.plurals.more_waiting, status.pending.toLong())
        row("waiting", R.drawable.ic_waiting, waiting, exits.waiting)
        row("attention", R.drawable.ic_attention, write.many(R.plurals.attention_count, status.attention.toLong()), exits.attention)
        row("records", R.drawable.ic_day, write.text(R.string.records_title), exits.records)
        row("language", R.drawable.ic_more, write.text(R.string.language_title), exits.language)
        row("diagnostics", R.drawable.ic_share, write.text(R.string.diagnostics)) { model.makeDiagnostics(context.sharedFolder()) }
        row("sign in", R.drawable.ic_scan, write.text(R.string.sign_in_again), exits.signIn)
        row("sign out", R.drawable.ic_back, write.text(R.string.sign_out_title), exits.signOut)
        item(key = "server") { Fact(write.text(R.string.enrol_server), write.code(model.server)) }
    }
}

private fun LazyListScope.row(key: String, icon: Int, text: String, onClick: () -> Unit) =
    item(key = key) {
        Entry(onClick) {
            // Large text needs all of the row, and says the same.
            if (!isTextLarge()) Icon(painterResource(icon), null, Modifier.size(28.dp))
            Text(text, Modifier.weight(1f), style = MaterialTheme.typography.bodyLarge)
        }
    }
