package app.carboy.rider.customer

import androidx.compose.foundation.text.KeyboardOptions
import androidx.compose.runtime.Composable
import androidx.compose.runtime.getValue
import androidx.compose.ui.res.stringResource
import androidx.compose.ui.text.input.KeyboardCapitalization
import androidx.compose.ui.text.input.KeyboardType
import androidx.lifecycle.SavedStateHandle
import androidx.lifecycle.compose.collectAsStateWithLifecycle
import app.carboy.Change
import app.carboy.Customer
import app.carboy.Field
import app.carboy.rider.Kept
import app.carboy.rider.Phone
import app.carboy.rider.R
import app.carboy.rider.RecordForm
import app.carboy.rider.ScreenModel
import app.carboy.rider.stop.fitting
import app.carboy.rider.text
import app.carboy.rider.ui.Field
import kotlinx.coroutines.flow.StateFlow
import kotlinx.coroutines.flow.flowOf

/** A customer's fields: those of one who is there, or of a new one where the route names none. */
class EditModel(phone: Phone, handle: SavedStateHandle) : ScreenModel(phone, handle) {
    private val keptTyped = Kept(handle, "fields", HashMap<String, String>())

    val isNew: Boolean = CUSTOMER !in handle

    /** What was typed, by the name of the field. */
    val typed: StateFlow<Map<String, String>> = keptTyped.flow

    /** What is there already. */
    val before: StateFlow<Map<Field, String>?> =
        if (isNew) kept(flowOf(mapOf())) else shown(Change.CUSTOMERS) { customer(customerId).fields() }

    fun type(field: Field, text: String) = handle.set("fields", HashMap(typed.value + (field.name to text.fitting())))

    /** What differs from [before]. */
    fun changes(before: Map<Field, String>): Map<Field, String> = Field.entries
        .mapNotNull { field -> typed.value[field.name]?.trim()?.let { field to it } }
        .filter { (field, text) -> text != before[field].orEmpty() }
        .toMap()

    fun save(before: Map<Field, String>) {
        val changes = changes(before)
        recording.record {
            if (isNew) addCustomer(changes, day().shift?.takeIf { it.finishedAt == null }?.route)
            else updateProfile(customerId, changes)
        }
    }
}

private fun Customer.fields() = mapOf(Field.NAME to name, Field.PHONE to phone, Field.ADDRESS to address, Field.NOTE to note)

@Composable
fun EditScreen(model: EditModel, onBack: () -> Unit) {
    val before by model.before.collectAsStateWithLifecycle()
    val typed by model.typed.collectAsStateWithLifecycle()
    val there = before
    val name = typed[Field.NAME.name] ?: there?.get(Field.NAME).orEmpty()
    RecordForm(
        model,
        stringResource(if (model.isNew) R.string.add_customer else R.string.customer_edit),
        onBack,
        stringResource(R.string.save),
        there?.takeIf { name.isNotBlank() && model.changes(it).isNotEmpty() }?.let { { model.save(it) } },
    ) {
        if (there != null) Fields(there, typed, model::type)
    }
}

/** A field for each part of a profile. */
@Composable
fun Fields(before: Map<Field, String>, typed: Map<String, String>, onType: (Field, String) -> Unit) {
    for (field in Field.entries) {
        val options = when (field) {
            Field.PHONE -> KeyboardOptions(keyboardType = KeyboardType.Phone)
            Field.NAME -> KeyboardOptions(KeyboardCapitalization.Words)
            Field.ADDRESS, Field.NOTE -> KeyboardOptions(KeyboardCapitalization.Sentences)
        }
        val value = typed[field.name] ?: before[field].orEmpty()
        Field(stringResource(field.text()), value, { onType(field, it) }, options = options, lines = if (field == Field.NOTE) 2 else 1)
    }
}
