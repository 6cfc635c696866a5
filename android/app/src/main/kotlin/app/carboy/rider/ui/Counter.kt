/** Counting bottles with a thumb. */
package app.carboy.rider.ui

import androidx.annotation.DrawableRes
import androidx.compose.foundation.layout.Arrangement
import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.Row
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.foundation.layout.size
import androidx.compose.foundation.layout.sizeIn
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
import androidx.compose.ui.semantics.contentDescription
import androidx.compose.ui.semantics.liveRegion
import androidx.compose.ui.semantics.semantics
import androidx.compose.ui.text.style.TextAlign
import androidx.compose.ui.unit.dp
import app.carboy.rider.R

/** The most bottles that the core takes in one line. */
const val MOST = 10_000

/** [count] of [what], with a button for one less and one for one more, and on request one for ten more. */
@Composable
fun Counter(what: String, count: Int, onChange: (Int) -> Unit, tens: Boolean = false) {
    val write = write()
    Column(Modifier.fillMaxWidth()) {
        Text(what, style = MaterialTheme.typography.bodyLarge)
        Row(Modifier.fillMaxWidth(), Arrangement.spacedBy(8.dp), Alignment.CenterVertically) {
            Step(R.drawable.ic_minus, write.text(R.string.one_less, what), count > 0) { onChange(count - 1) }
            Text(
                write.number(count),
                Modifier.weight(1f).semantics {
                    contentDescription = write.text(R.string.count_of, what, write.number(count))
                    liveRegion = LiveRegionMode.Polite
                },
                style = MaterialTheme.typography.headlineSmall,
                textAlign = TextAlign.Center,
            )
            Step(R.drawable.ic_plus, write.text(R.string.one_more, what), count < MOST) { onChange(count + 1) }
            if (tens) {
                val more = write.text(R.string.ten_more, what)
                FilledTonalIconButton(
                    { onChange(minOf(count + 10, MOST)) },
                    Modifier.sizeIn(minWidth = 72.dp, minHeight = 64.dp).semantics { contentDescription = more },
                    count < MOST,
                    RoundedCornerShape(12.dp),
                ) { Text(write.text(R.string.plus, write.number(10)), style = MaterialTheme.typography.labelLarge) }
            }
        }
    }
}

@Composable
private fun Step(@DrawableRes icon: Int, description: String, enabled: Boolean, onClick: () -> Unit) =
    FilledTonalIconButton(onClick, Modifier.size(72.dp, 64.dp), enabled, RoundedCornerShape(12.dp)) {
        Icon(painterResource(icon), description, Modifier.size(32.dp))
    }
