/** What the screens are put together from. Everything that is tapped is at least [TARGET] high and wide. */
package app.carboy.rider.ui

import androidx.annotation.DrawableRes
import androidx.compose.foundation.BorderStroke
import androidx.compose.foundation.clickable
import androidx.compose.foundation.layout.Arrangement
import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.ColumnScope
import androidx.compose.foundation.layout.ExperimentalLayoutApi
import androidx.compose.foundation.layout.FlowRow
import androidx.compose.foundation.layout.Row
import androidx.compose.foundation.layout.RowScope
import androidx.compose.foundation.layout.defaultMinSize
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.foundation.layout.heightIn
import androidx.compose.foundation.layout.padding
import androidx.compose.foundation.layout.size
import androidx.compose.foundation.selection.selectable
import androidx.compose.foundation.selection.selectableGroup
import androidx.compose.foundation.shape.RoundedCornerShape
import androidx.compose.foundation.text.KeyboardOptions
import androidx.compose.material3.Button
import androidx.compose.material3.Icon
import androidx.compose.material3.LocalContentColor
import androidx.compose.material3.MaterialTheme
import androidx.compose.material3.OutlinedButton
import androidx.compose.material3.OutlinedTextField
import androidx.compose.material3.RadioButton
import androidx.compose.material3.Surface
import androidx.compose.material3.Text
import androidx.compose.runtime.Composable
import androidx.compose.ui.Alignment
import androidx.compose.ui.Modifier
import androidx.compose.ui.graphics.Color
import androidx.compose.ui.res.painterResource
import androidx.compose.ui.semantics.LiveRegionMode
import androidx.compose.ui.semantics.Role
import androidx.compose.ui.semantics.clearAndSetSemantics
import androidx.compose.ui.semantics.contentDescription
import androidx.compose.ui.semantics.heading
import androidx.compose.ui.semantics.liveRegion
import androidx.compose.ui.semantics.semantics
import androidx.compose.ui.text.style.TextAlign
import androidx.compose.ui.unit.dp

private val SHAPE = RoundedCornerShape(12.dp)

/** The one thing to do on a screen. */
@Composable
fun MainButton(text: String, onClick: () -> Unit, modifier: Modifier = Modifier, enabled: Boolean = true, @DrawableRes icon: Int? = null) =
    Button(onClick, modifier.fillMaxWidth().heightIn(min = 64.dp), enabled, shape = SHAPE) { Label(text, icon) }

/** Something else that can be done there. */
@Composable
fun SideButton(text: String, onClick: () -> Unit, modifier: Modifier = Modifier, enabled: Boolean = true, @DrawableRes icon: Int? = null) {
    val colour = if (enabled) MaterialTheme.colorScheme.primary else MaterialTheme.colorScheme.outlineVariant
    OutlinedButton(
        onClick,
        modifier.fillMaxWidth().heightIn(min = TARGET),
        enabled,
        shape = SHAPE,
        border = BorderStroke(2.dp, colour),
    ) { Label(text, icon) }
}

@Composable
private fun RowScope.Label(text: String, @DrawableRes icon: Int?) {
    if (icon != null) Icon(painterResource(icon), null, Modifier.padding(end = 8.dp).size(24.dp))
    Text(text, Modifier.weight(1f, fill = false), style = MaterialTheme.typography.labelLarge, textAlign = TextAlign.Center)
}

/** Text that stands for itself. */
@Composable
fun Line(text: String, modifier: Modifier = Modifier) = Text(text, modifier, style = MaterialTheme.typography.bodyLarge)

/** Text that explains. */
@Composable
fun Hint(text: String, modifier: Modifier = Modifier) =
    Text(text, modifier, MaterialTheme.colorScheme.onSurfaceVariant, style = MaterialTheme.typography.bodyMedium)

/** The title of a part of a screen. */
@Composable
fun Part(text: String, modifier: Modifier = Modifier) =
    Text(text, modifier.padding(top = 8.dp).semantics { heading() }, style = MaterialTheme.typography.titleMedium)

/** What something comes to: its name at the start, its value at the end, below each other where there is no room. */
@OptIn(ExperimentalLayoutApi::class)
@Composable
fun Sum(name: String, value: String, strong: Boolean = false) =
    FlowRow(
        Modifier.fillMaxWidth().semantics(mergeDescendants = true) {},
        horizontalArrangement = Arrangement.SpaceBetween,
    ) {
        Text(name, Modifier.padding(end = 16.dp).align(Alignment.CenterVertically), style = MaterialTheme.typography.bodyLarge)
        Text(value, style = if (strong) MaterialTheme.typography.headlineSmall else MaterialTheme.typography.titleMedium)
    }

/** How a notice is meant; its icon says it too. */
enum class Tone { Good, Plain, Bad }

/** A notice across the screen, read out when it appears. */
@Composable
fun Notice(text: String, tone: Tone, @DrawableRes icon: Int, modifier: Modifier = Modifier, onClick: (() -> Unit)? = null) {
    val colours = MaterialTheme.colorScheme
    val (ground, ink) = when (tone) {
        Tone.Good -> colours.tertiaryContainer to colours.onTertiaryContainer
        Tone.Plain -> colours.surfaceVariant to colours.onSurface
        Tone.Bad -> colours.errorContainer to colours.onErrorContainer
    }
    val tapped = if (onClick == null) Modifier else Modifier.clickable(role = Role.Button, onClick = onClick)
    Surface(modifier.fillMaxWidth(), SHAPE, ground, ink) {
        Row(
            tapped.heightIn(min = TARGET).padding(horizontal = 16.dp, vertical = 12.dp)
                .semantics(mergeDescendants = true) { liveRegion = LiveRegionMode.Polite },
            Arrangement.spacedBy(12.dp),
            Alignment.CenterVertically,
        ) {
            Icon(painterResource(icon), null, Modifier.size(28.dp))
            Text(text, Modifier.weight(1f), style = MaterialTheme.typography.bodyLarge)
        }
    }
}

/** A row of a list that leads somewhere. */
@Composable
fun Entry(onClick: () -> Unit, modifier: Modifier = Modifier, strong: Boolean = false, content: @Composable RowScope.() -> Unit) {
    val colours = MaterialTheme.colorScheme
    Surface(
        modifier.fillMaxWidth(),
        SHAPE,
        if (strong) colours.primaryContainer else colours.surface,
        if (strong) colours.onPrimaryContainer else colours.onSurface,
        border = BorderStroke(if (strong) 3.dp else 1.dp, if (strong) colours.primary else colours.outline),
    ) {
        Row(
            Modifier.clickable(role = Role.Button, onClick = onClick).heightIn(min = 64.dp).padding(12.dp),
            Arrangement.spacedBy(12.dp),
            Alignment.CenterVertically,
            content,
        )
    }
}

/** A card that only shows. */
@Composable
fun Card(modifier: Modifier = Modifier, content: @Composable ColumnScope.() -> Unit) =
    Surface(
        modifier.fillMaxWidth(),
        SHAPE,
        MaterialTheme.colorScheme.surface,
        border = BorderStroke(1.dp, MaterialTheme.colorScheme.outline),
    ) { Column(Modifier.padding(16.dp), Arrangement.spacedBy(8.dp), content = content) }

/** One of several, chosen by tapping its row. */
@Composable
fun <T> Choices(options: List<Pair<T, String>>, chosen: T?, onChoose: (T) -> Unit) =
    Column(Modifier.selectableGroup(), Arrangement.spacedBy(8.dp)) {
        for ((option, text) in options) {
            val isChosen = option == chosen
            val colours = MaterialTheme.colorScheme
            Surface(
                shape = SHAPE,
                color = if (isChosen) colours.primaryContainer else colours.surface,
                contentColor = if (isChosen) colours.onPrimaryContainer else colours.onSurface,
                border = BorderStroke(if (isChosen) 3.dp else 1.dp, if (isChosen) colours.primary else colours.outline),
            ) {
                Row(
                    Modifier.fillMaxWidth().selectable(isChosen, role = Role.RadioButton) { onChoose(option) }
                        .heightIn(min = TARGET).padding(horizontal = 12.dp, vertical = 8.dp),
                    Arrangement.spacedBy(12.dp),
                    Alignment.CenterVertically,
                ) {
                    RadioButton(isChosen, null)
                    Text(text, Modifier.weight(1f), style = MaterialTheme.typography.bodyLarge)
                }
            }
        }
    }

/** A field to type into, its label above it: within the border there is no room for it in large text. */
@Composable
fun Field(
    label: String,
    value: String,
    onChange: (String) -> Unit,
    modifier: Modifier = Modifier,
    options: KeyboardOptions = KeyboardOptions.Default,
    lines: Int = 1,
    enabled: Boolean = true,
) = Column(modifier.fillMaxWidth(), Arrangement.spacedBy(4.dp)) {
    Text(label, Modifier.clearAndSetSemantics {}, style = MaterialTheme.typography.labelMedium)
    OutlinedTextField(
        value,
        onChange,
        Modifier.fillMaxWidth().defaultMinSize(minHeight = 60.dp).semantics { contentDescription = label },
        enabled = enabled,
        textStyle = MaterialTheme.typography.bodyLarge,
        keyboardOptions = options,
        singleLine = lines == 1,
        minLines = lines,
        shape = SHAPE,
    )
}

/** A sign with its meaning beside it; TalkBack reads the meaning. */
@Composable
fun Mark(@DrawableRes icon: Int, text: String, colour: Color = LocalContentColor.current) =
    Row(Modifier, Arrangement.spacedBy(6.dp), Alignment.CenterVertically) {
        Icon(painterResource(icon), null, Modifier.size(22.dp), colour)
        Text(text, color = colour, style = MaterialTheme.typography.labelMedium)
    }
