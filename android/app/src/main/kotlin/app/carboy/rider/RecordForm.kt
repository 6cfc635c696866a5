/** The form that makes one record. */
package app.carboy.rider

import androidx.compose.foundation.layout.ColumnScope
import androidx.compose.runtime.Composable
import androidx.compose.runtime.LaunchedEffect
import androidx.compose.runtime.getValue
import androidx.compose.ui.res.stringResource
import androidx.lifecycle.compose.collectAsStateWithLifecycle
import app.carboy.rider.ui.FormScreen
import app.carboy.rider.ui.MainButton

/**
 * Leads on by [onSaved] once [model]'s record is on the phone. What goes wrong stands above the button, where the rider
 * has just looked: the top of the form may be scrolled away.
 *
 * @param save what the button called [text] does; null while what is typed and chosen makes no record
 */
@Composable
fun RecordForm(
    model: ScreenModel,
    title: String,
    onBack: () -> Unit,
    text: String,
    save: (() -> Unit)?,
    onSaved: () -> Unit = onBack,
    content: @Composable ColumnScope.() -> Unit,
) {
    val progress by model.recording.progress.collectAsStateWithLifecycle()
    val failure by model.failure.collectAsStateWithLifecycle()
    LaunchedEffect(progress) { if (progress is Progress.Saved) onSaved() }
    FormScreen(
        title,
        onBack,
        actions = {
            failure?.let { Problem(it) }
            Problem(progress)
            val isFree = progress is Progress.Ready || progress is Progress.Failed
            val now = if (progress == Progress.Saving) stringResource(R.string.saving) else text
            MainButton(now, { save?.invoke() }, enabled = save != null && isFree)
        },
        content,
    )
}
