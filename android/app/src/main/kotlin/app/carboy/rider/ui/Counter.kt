/** Counting bottles with a thumb. */
package app.carboy.rider.ui

import androidx.annotation.DrawableRes
import androidx.compose.foundation.layout.Arrangement
import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.Row
import androidx.compose.foundation.layout.RowScope
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.foundation.layout.heightIn
import androidx.compose.foundation.layout.size
import androidx.compose.foundation.shape.RoundedCornerShape
import androidx.compose.material3.FilledTonalIconButton
import androidx.compose.material3.Icon
import androidx.compose.material3.MaterialTheme
import androidx.compose.material3.Text
import androidx.compose.runtime.Composable
import androidx.compose.ui.Alignment
import androidx.compose.ui.Modifier
import androidx.compose.ui.res.painterResource
import androidx.compose.ui.semantics.LiveRegionMode
import androidx.compose.ui.semantics.clearAndSetSemantics
import androidx.compose.ui.semantics.contentDescription
import androidx.compose.ui.semantics.liveRegion
import androidx.compose.ui.semantics.semantics
import androidx.compose.ui.unit.dp
import app.carboy.rider.R

/** The most bottles that the core takes in one line. */
const val MOST = 10_000

/** [count] of [what], with a button for one less and one for one more, and on request one for ten more. */
@Composable
fun Counter(what: String, count: Int, onChange: (Int) -> Unit, tens: Boolean = false) {
    val write = write()
    Column(Modifier.fillMaxWidth(), Arrangement.spacedBy(4.dp)) {
        val said = write.text(R.string.count_of, what, write.number(count))
        Row(
            Modifier.fillMaxWidth().clearAndSetSemantics {
                contentDescription = said
                liveRegion = LiveRegionMode.Polite
            },
            Arrangement.spacedBy(12.dp),
            Alignment.CenterVertically,
        ) {
            Text(what, Modifier.weight(1f), style = MaterialTheme.typography.bodyLarge)
            Text(write.number(count), style = MaterialTheme.typography.headlineSmall)
        }
        Row(Modifier.fillMaxWidth(), Arrangement.spacedBy(8.dp)) {
            Step(write.text(R.string.one_less, what), count > 0, { onChange(count - 1) }) { Sign(R.drawable.ic_minus) }
            Step(write.text(R.string.one_more, what), count < MOST, { onChange(count + 1) }) { Sign(R.drawable.ic_plus) }
            if (tens) {
                Step(write.text(R.string.ten_more, what), count < MOST, { onChange(minOf(count + 10, MOST)) }) {
                    Text(write.text(R.string.plus, write.number(10)), style = MaterialTheme.typography.labelLarge)
                }
            }
        }
    }
}

@Composable
private fun RowScope.Step(description: String, enabled: Boolean, onClick: () -> Unit, content: @Composable () -> Unit) =
    FilledTonalIconButton(
        onClick,
        Modifier.weight(1f).heightIn(min = 64.dp).semantics { contentDescription = description },
        enabled,
        RoundedCornerShape(12.dp),
        content = content,
    )

@Composable
private fun Sign(@DrawableRes icon: Int) = Icon(painterResource(icon), null, Modifier.size(32.dp))
