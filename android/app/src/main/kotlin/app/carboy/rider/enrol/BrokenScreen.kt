package app.carboy.rider.enrol

import androidx.compose.runtime.Composable
import androidx.compose.ui.res.stringResource
import app.carboy.CarboyException
import app.carboy.rider.Problem
import app.carboy.rider.R
import app.carboy.rider.ui.FormScreen
import app.carboy.rider.ui.Line
import app.carboy.rider.ui.MainButton
import app.carboy.rider.ui.SideButton

/** The rider's store could not be opened. */
@Composable
fun BrokenScreen(error: CarboyException, onRetry: () -> Unit, onEnrol: () -> Unit) = FormScreen(
    stringResource(R.string.broken_title),
    actions = {
        MainButton(stringResource(R.string.try_again), onRetry)
        SideButton(stringResource(R.string.sign_in_again), onEnrol)
    },
) {
    // That one says to share a file, and without records there is none to share.
    if (error !is CarboyException.Internal) Problem(error)
    Line(stringResource(R.string.broken_safe))
}
