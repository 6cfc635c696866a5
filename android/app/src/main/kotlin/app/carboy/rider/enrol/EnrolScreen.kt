package app.carboy.rider.enrol

import androidx.activity.compose.rememberLauncherForActivityResult
import androidx.compose.foundation.text.KeyboardOptions
import androidx.compose.runtime.Composable
import androidx.compose.runtime.LaunchedEffect
import androidx.compose.runtime.getValue
import androidx.compose.ui.res.stringResource
import androidx.compose.ui.text.input.KeyboardCapitalization
import androidx.compose.ui.text.input.KeyboardType
import androidx.lifecycle.compose.collectAsStateWithLifecycle
import app.carboy.rider.Problem
import app.carboy.rider.R
import app.carboy.rider.ui.Field
import app.carboy.rider.ui.FormScreen
import app.carboy.rider.ui.Line
import app.carboy.rider.ui.MainButton
import app.carboy.rider.ui.Notice
import app.carboy.rider.ui.SideButton
import app.carboy.rider.ui.Tone
import com.journeyapps.barcodescanner.ScanContract
import com.journeyapps.barcodescanner.ScanOptions

/** Signing in: the code from the dashboard, typed or scanned. */
@Composable
fun EnrolScreen(model: EnrolModel, onBack: (() -> Unit)?, onDone: () -> Unit) {
    val server by model.server.collectAsStateWithLifecycle()
    val code by model.code.collectAsStateWithLifecycle()
    val enrolling by model.enrolling.collectAsStateWithLifecycle()
    LaunchedEffect(enrolling) { if (enrolling == Enrolling.Done) onDone() }
    val scan = rememberLauncherForActivityResult(ScanContract()) { result -> result.contents?.let(model::scanned) }
    val isBusy = enrolling == Enrolling.UnderWay
    FormScreen(
        stringResource(R.string.enrol_title),
        onBack,
        actions = {
            // Below the fields it would be out of sight.
            when (val state = enrolling) {
                is Enrolling.Failed -> Problem(state.error)
                Enrolling.NoLink -> Notice(stringResource(R.string.enrol_no_link), Tone.Bad, R.drawable.ic_attention)
                Enrolling.Typing, Enrolling.UnderWay, Enrolling.Done -> Unit
            }
            val ready = !isBusy && server.isNotBlank() && code.isNotBlank()
            MainButton(stringResource(if (isBusy) R.string.enrol_busy else R.string.enrol_go), model::enrol, enabled = ready)
        },
    ) {
        Line(stringResource(R.string.enrol_intro))
        SideButton(stringResource(R.string.enrol_scan), { scan.launch(options()) }, enabled = !isBusy, icon = R.drawable.ic_scan)
        Line(stringResource(R.string.enrol_or_type))
        Field(
            stringResource(R.string.enrol_code),
            code,
            model::typeCode,
            options = KeyboardOptions(KeyboardCapitalization.Characters, autoCorrectEnabled = false),
            enabled = !isBusy,
        )
        Field(
            stringResource(R.string.enrol_server),
            server,
            model::typeServer,
            options = KeyboardOptions(autoCorrectEnabled = false, keyboardType = KeyboardType.Uri),
            enabled = !isBusy,
        )
    }
}

/** The phone is held upright while it is scanned with, however it was turned before. */
private fun options() = ScanOptions()
    .setDesiredBarcodeFormats(ScanOptions.QR_CODE)
    .setBeepEnabled(false)
    .setOrientationLocked(true)
    .setPrompt("")
