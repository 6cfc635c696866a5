/** A question over a screen, before what cannot be tapped away again. */
package app.carboy.rider.ui

import androidx.compose.foundation.BorderStroke
import androidx.compose.foundation.layout.Arrangement
import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.ColumnScope
import androidx.compose.foundation.layout.padding
import androidx.compose.foundation.rememberScrollState
import androidx.compose.foundation.shape.RoundedCornerShape
import androidx.compose.foundation.verticalScroll
import androidx.compose.material3.MaterialTheme
import androidx.compose.material3.Surface
import androidx.compose.runtime.Composable
import androidx.compose.ui.Modifier
import androidx.compose.ui.res.stringResource
import androidx.compose.ui.unit.dp
import androidx.compose.ui.window.Dialog
import app.carboy.rider.R

/**
 * Asks [question], with [content] about it; [yes] is called what it does. Closed by any answer. Where it has no room all
 * of it scrolls: Material's own dialog keeps its buttons in place, and in large text little is left beside them.
 */
@Composable
fun Ask(question: String, yes: String, onYes: () -> Unit, onClose: () -> Unit, content: @Composable ColumnScope.() -> Unit) =
    Dialog(onClose) {
        val colours = MaterialTheme.colorScheme
        Surface(shape = RoundedCornerShape(12.dp), color = colours.surface, border = BorderStroke(1.dp, colours.outline)) {
            Column(Modifier.verticalScroll(rememberScrollState()).padding(16.dp), Arrangement.spacedBy(12.dp)) {
                Part(question)
                content()
                MainButton(yes, {
                    onClose()
                    onYes()
                })
                SideButton(stringResource(R.string.ask_no), onClose)
            }
        }
    }
