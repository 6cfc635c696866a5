/** What a record that was not accepted holds, read from its JSON: to show it, and to begin correcting it from. */
package app.carboy.rider.attention

import app.carboy.DeliveredLine
import app.carboy.FailReason
import app.carboy.Field
import app.carboy.Money
import app.carboy.ProductCode
import app.carboy.StockLine
import app.carboy.rider.R
import app.carboy.rider.ui.Write
import org.json.JSONArray
import org.json.JSONException
import org.json.JSONObject

/** Whether this app has a screen that corrects records of this kind. */
fun isCorrectable(kind: String): Boolean = kind in setOf(
    "confirm_delivery", "collect_cash", "hand_in_cash", "load_stock", "return_stock", "update_profile", "add_customer",
    "fail_delivery", "start_shift", "note_progress",
)

/** The amount or the bottles in a record's [body], for a person; null if there is none to tell. */
fun recorded(body: String, write: Write): String? {
    val json = parsed(body) ?: return null
    amount(json)?.let { return write.money(it) }
    val bottles = delivered(json).map { Triple(it.product, it.delivered, it.empties) } +
        stock(json).map { Triple(it.product, it.full, it.empty) }
    return bottles.takeIf { it.isNotEmpty() }?.joinToString("\n") { (product, full, empty) ->
        write.text(R.string.recorded_bottles, write.name(product.text), write.number(full), write.number(empty))
    }
}

/** The record's JSON; null if it is none any more. */
fun parsed(body: String): JSONObject? = try {
    JSONObject(body)
} catch (_: JSONException) {
    null
}

fun amount(json: JSONObject): Money? =
    json.optJSONObject("amount")?.let { Money(it.optLong("minor"), it.optString("currency")) }

/** The lines of a delivery; none in any other record. */
fun delivered(json: JSONObject): List<DeliveredLine> = lines(json)
    .filter { it.has("delivered") }
    .map { DeliveredLine(ProductCode(it.optString("product")), it.optInt("delivered"), it.optInt("empties")) }

/** The lines of a record about stock; none in any other one. */
fun stock(json: JSONObject): List<StockLine> = lines(json)
    .filter { it.has("full") }
    .map { StockLine(ProductCode(it.optString("product")), it.optInt("full"), it.optInt("empty")) }

private fun lines(json: JSONObject): List<JSONObject> {
    val array = json.optJSONArray("lines") ?: JSONArray()
    return (0 until array.length()).mapNotNull(array::optJSONObject)
}

/** The fields of a profile. */
fun fields(json: JSONObject): Map<Field, String> {
    val fields = json.optJSONObject("fields") ?: json.optJSONObject("changes") ?: json.optJSONObject("edit")?.optJSONObject("changes")
    return Field.entries.mapNotNull { field -> fields?.optString(field.name.lowercase())?.ifEmpty { null }?.let { field to it } }.toMap()
}

fun failReason(json: JSONObject): FailReason? = FailReason.entries.find { it.name.equals(json.optString("reason"), ignoreCase = true) }

/** What was noted with it. */
fun note(json: JSONObject): String = json.optString("note")
