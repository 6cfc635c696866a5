package app.carboy.rider.settings

import android.app.Activity
import androidx.activity.compose.LocalActivity
import androidx.compose.runtime.Composable
import androidx.compose.ui.platform.LocalContext
import androidx.compose.ui.res.stringResource
import app.carboy.rider.Language
import app.carboy.rider.R
import app.carboy.rider.ui.Choices
import app.carboy.rider.ui.FormScreen

/** Which language the app speaks. */
@Composable
fun LanguageScreen(onBack: () -> Unit) {
    val context = LocalContext.current
    val activity: Activity? = LocalActivity.current
    FormScreen(stringResource(R.string.language_title), onBack) {
        Choices(Language.entries.map { it to stringResource(it.label) }, Language.chosen(context)) { language ->
            Language.choose(context, language)
            // The screens are made anew in it; what they hold stays.
            activity?.recreate()
        }
    }
}
