/** What records, stops and reasons are called on every screen. */
package app.carboy.rider

import androidx.annotation.DrawableRes
import androidx.annotation.StringRes
import app.carboy.FailReason
import app.carboy.Field
import app.carboy.Settlement
import app.carboy.StopState

/** What a record of this kind is called. */
@StringRes
fun kindText(kind: String): Int = when (kind) {
    "confirm_delivery" -> R.string.kind_confirm_delivery
    "collect_cash" -> R.string.kind_collect_cash
    "update_profile" -> R.string.kind_update_profile
    "fail_delivery" -> R.string.kind_fail_delivery
    "note_progress" -> R.string.kind_note_progress
    "add_customer" -> R.string.kind_add_customer
    "start_shift" -> R.string.kind_start_shift
    "finish_shift" -> R.string.kind_finish_shift
    "load_stock" -> R.string.kind_load_stock
    "return_stock" -> R.string.kind_return_stock
    "hand_in_cash" -> R.string.kind_hand_in_cash
    "withdraw" -> R.string.kind_withdraw
    "accept" -> R.string.kind_accept
    "adjust_balance", "set_balance" -> R.string.kind_adjust_balance
    else -> R.string.kind_other
}

/** A sign and what it means. */
data class Sign(@DrawableRes val icon: Int, @StringRes val text: Int)

/** How far a record is on its way to the plant. */
fun Settlement.sign(): Sign = when (this) {
    Settlement.PENDING -> Sign(R.drawable.ic_saved, R.string.mark_saved)
    Settlement.APPLIED -> Sign(R.drawable.ic_settled, R.string.mark_settled)
    Settlement.REFUSED -> Sign(R.drawable.ic_attention, R.string.mark_attention)
}

/** How a stop stands. */
@StringRes
fun StopState?.text(): Int = when (this) {
    null -> R.string.stop_to_do
    StopState.ON_THE_WAY -> R.string.stop_on_the_way
    StopState.ARRIVED -> R.string.stop_arrived
    StopState.DELIVERED -> R.string.stop_delivered
    StopState.FAILED -> R.string.stop_failed
    StopState.SKIPPED -> R.string.stop_skipped
}

/** Whether the rider is done with a stop. */
val StopState?.isDone: Boolean get() = this == StopState.DELIVERED || this == StopState.FAILED || this == StopState.SKIPPED

@StringRes
fun FailReason.text(): Int = when (this) {
    FailReason.CLOSED -> R.string.fail_closed
    FailReason.ABSENT -> R.string.fail_absent
    FailReason.REFUSED -> R.string.fail_refused
    FailReason.NO_ACCESS -> R.string.fail_no_access
    FailReason.NO_STOCK -> R.string.fail_no_stock
    FailReason.OTHER -> R.string.fail_other
}

@StringRes
fun Field.text(): Int = when (this) {
    Field.NAME -> R.string.field_name
    Field.PHONE -> R.string.field_phone
    Field.ADDRESS -> R.string.field_address
    Field.NOTE -> R.string.field_note
}

/** Why the server did not accept a record. */
@StringRes
fun reasonText(reason: String): Int = when (reason) {
    "invalid" -> R.string.reason_invalid
    "unknown_customer" -> R.string.reason_unknown_customer
    "currency_mismatch" -> R.string.reason_currency_mismatch
    "forbidden" -> R.string.reason_forbidden
    "txn_reused" -> R.string.reason_txn_reused
    "tampered" -> R.string.reason_tampered
    "unknown_record" -> R.string.reason_unknown_record
    "already_withdrawn" -> R.string.reason_already_withdrawn
    "not_reversible" -> R.string.reason_not_reversible
    "parked" -> R.string.reason_parked
    else -> R.string.reason_other
}
