/** What goes wrong, in words that a rider can act on. */
package app.carboy.rider

import androidx.annotation.StringRes
import androidx.compose.foundation.layout.ColumnScope
import androidx.compose.runtime.Composable
import androidx.compose.ui.res.stringResource
import app.carboy.CarboyException
import app.carboy.rider.ui.Notice
import app.carboy.rider.ui.Tone

/** What to tell the rider; the log has the detail. */
@StringRes
fun CarboyException.text(): Int = when (this) {
    is CarboyException.UnknownCustomer -> R.string.problem_unknown_customer
    is CarboyException.UnknownProduct -> R.string.problem_unknown_product
    is CarboyException.UnknownRoute -> R.string.problem_unknown_route
    is CarboyException.UnknownRecord, is CarboyException.NotPossible -> R.string.problem_not_possible
    is CarboyException.ShiftOpen -> R.string.problem_shift_open
    is CarboyException.NoShift -> R.string.problem_no_shift
    is CarboyException.UnreadablePhoto -> R.string.problem_photo
    is CarboyException.CurrencyMismatch, is CarboyException.Invalid -> R.string.problem_invalid
    is CarboyException.WrongAccount, is CarboyException.WrongKey, is CarboyException.NotAStore,
    is CarboyException.Damaged,
    -> R.string.problem_store
    is CarboyException.SignedOut -> R.string.problem_signed_out
    is CarboyException.NoDeviceKey, is CarboyException.KeyStoreFailed -> R.string.problem_keys
    is CarboyException.NeedsUpgrade -> R.string.problem_upgrade
    is CarboyException.StorageFull -> R.string.problem_storage_full
    is CarboyException.WrongCode -> R.string.problem_wrong_code
    is CarboyException.Unreachable -> R.string.problem_unreachable
    is CarboyException.PendingWork -> R.string.problem_pending
    is CarboyException.Internal -> R.string.problem_internal
}

/** Tells it on a screen. */
@Composable
fun Problem(error: CarboyException) = Notice(stringResource(error.text()), Tone.Bad, R.drawable.ic_attention)

/** The same for a screen's one record, while there is something to tell. */
@Composable
fun Problem(progress: Progress) {
    if (progress is Progress.Failed) Problem(progress.error)
}

/** The same for the bottom of a list, whose top may be scrolled away; nothing while there is nothing to tell. */
fun problem(progress: Progress): (@Composable ColumnScope.() -> Unit)? = (progress as? Progress.Failed)?.let { { Problem(it.error) } }
