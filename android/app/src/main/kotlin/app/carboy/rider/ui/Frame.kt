/** What every screen is laid out in: a title, what scrolls, and what is tapped with the thumb at the bottom. */
package app.carboy.rider.ui

import androidx.compose.foundation.layout.Arrangement
import androidx.compose.foundation.layout.BoxWithConstraints
import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.ColumnScope
import androidx.compose.foundation.layout.PaddingValues
import androidx.compose.foundation.layout.Row
import androidx.compose.foundation.layout.fillMaxSize
import androidx.compose.foundation.layout.fillMaxWidth
import androidx.compose.foundation.layout.heightIn
import androidx.compose.foundation.layout.padding
import androidx.compose.foundation.layout.size
import androidx.compose.foundation.lazy.LazyColumn
import androidx.compose.foundation.lazy.LazyListScope
import androidx.compose.foundation.lazy.LazyListState
import androidx.compose.foundation.lazy.rememberLazyListState
import androidx.compose.foundation.rememberScrollState
import androidx.compose.foundation.verticalScroll
import androidx.compose.material3.HorizontalDivider
import androidx.compose.material3.Icon
import androidx.compose.material3.IconButton
import androidx.compose.material3.MaterialTheme
import androidx.compose.material3.Surface
import androidx.compose.material3.Text
import androidx.compose.runtime.Composable
import androidx.compose.ui.Alignment
import androidx.compose.ui.Modifier
import androidx.compose.ui.platform.LocalDensity
import androidx.compose.ui.res.painterResource
import androidx.compose.ui.res.stringResource
import androidx.compose.ui.semantics.heading
import androidx.compose.ui.semantics.semantics
import androidx.compose.ui.unit.Dp
import androidx.compose.ui.unit.dp
import app.carboy.rider.R

/** Below this height, in dp at text of 100 %, nothing stays in place: everything scrolls. */
private val LOW = 420.dp

/** Whether a place of this height is too low for anything that does not scroll. */
@Composable
fun isLow(height: Dp): Boolean = height / LocalDensity.current.fontScale < LOW

/** Text from this size on needs the whole width of a small screen. */
private const val LARGE_TEXT = 1.5f

/** Whether text is so large that a sign beside it, which says the same, has to go. */
@Composable
fun isTextLarge(): Boolean = LocalDensity.current.fontScale >= LARGE_TEXT

/** A screen whose content is there as a whole, for forms. */
@Composable
fun FormScreen(
    title: String,
    onBack: (() -> Unit)? = null,
    actions: (@Composable ColumnScope.() -> Unit)? = null,
    content: @Composable ColumnScope.() -> Unit,
) = Frame(title, onBack, actions) { low, modifier ->
    Column(
        modifier.fillMaxWidth().verticalScroll(rememberScrollState()).padding(16.dp),
        verticalArrangement = Arrangement.spacedBy(12.dp),
    ) {
        if (low) Title(title, onBack)
        content()
        if (low) actions?.let { it() }
    }
}

/** A screen with a list that may be long. */
@Composable
fun ListScreen(
    title: String,
    onBack: (() -> Unit)? = null,
    actions: (@Composable ColumnScope.() -> Unit)? = null,
    state: LazyListState = rememberLazyListState(),
    content: LazyListScope.() -> Unit,
) = Frame(title, onBack, actions) { low, modifier ->
    LazyColumn(
        modifier.fillMaxWidth(),
        state,
        contentPadding = PaddingValues(16.dp),
        verticalArrangement = Arrangement.spacedBy(8.dp),
    ) {
        if (low) {
            item(key = "title") { Title(title, onBack) }
            // Not at the end, which may be far.
            if (actions != null) item(key = "actions") { Column(verticalArrangement = Arrangement.spacedBy(8.dp), content = actions) }
        }
        content()
    }
}

@Composable
private fun Frame(
    title: String,
    onBack: (() -> Unit)?,
    actions: (@Composable ColumnScope.() -> Unit)?,
    content: @Composable (low: Boolean, modifier: Modifier) -> Unit,
) = BoxWithConstraints(Modifier.fillMaxSize()) {
    val low = isLow(maxHeight)
    Column(Modifier.fillMaxSize()) {
        if (!low) Title(title, onBack, Modifier.padding(start = if (onBack == null) 16.dp else 4.dp, end = 16.dp))
        content(low, Modifier.weight(1f))
        if (!low && actions != null) {
            HorizontalDivider(thickness = 1.dp, color = MaterialTheme.colorScheme.outline)
            Column(
                Modifier.padding(horizontal = 16.dp, vertical = 12.dp),
                verticalArrangement = Arrangement.spacedBy(8.dp),
                content = actions,
            )
        }
    }
}

@Composable
private fun Title(title: String, onBack: (() -> Unit)?, modifier: Modifier = Modifier) {
    Row(modifier.fillMaxWidth().heightIn(min = 64.dp), verticalAlignment = Alignment.CenterVertically) {
        if (onBack != null) {
            IconButton(onBack, Modifier.size(TARGET)) { Icon(painterResource(R.drawable.ic_back), stringResource(R.string.back)) }
        }
        Text(
            title,
            Modifier.weight(1f).padding(vertical = 8.dp).semantics { heading() },
            style = MaterialTheme.typography.titleLarge,
        )
    }
}

/** The ground that a screen stands on. */
@Composable
fun Ground(content: @Composable () -> Unit) =
    Surface(Modifier.fillMaxSize(), color = MaterialTheme.colorScheme.background, content = content)
