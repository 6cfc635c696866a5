package app.carboy.rider

import androidx.compose.ui.geometry.Rect
import androidx.compose.ui.semantics.SemanticsActions
import androidx.compose.ui.semantics.SemanticsNode
import androidx.compose.ui.semantics.SemanticsProperties
import androidx.compose.ui.semantics.getOrNull
import androidx.compose.ui.text.TextLayoutResult
import androidx.compose.ui.unit.Density
import androidx.compose.ui.unit.dp
import androidx.compose.ui.unit.toSize

/** The smallest side of what is tapped. */
private val TARGET = 56.dp

/** A line of pixels may be rounded away. */
private const val ROUNDING = 1.5f

/**
 * What is wrong with a screen as its semantics tree has it: text that is cut, things that lie over each other or
 * outside, targets that a thumb would miss, and such that TalkBack has no name for.
 */
class Inspection(private val root: SemanticsNode, private val density: Density) {
    /** A list holds on to what it has scrolled away, at the place where it was last. */
    private val all = descendants(root).filter { it.layoutInfo.isPlaced }

    fun problems(): List<String> = all.flatMap(::problemsOf) + overlaps()

    private fun problemsOf(node: SemanticsNode): List<String> = listOfNotNull(
        "${name(node)} is too small to be tapped: ${node.size}".takeIf { isTapped(node) && isSmall(node) },
        "${name(node)} has no name for TalkBack".takeIf { isTapped(node) && words(node).isEmpty() },
        "the text of ${name(node)} is cut".takeIf { isTextCut(node) },
        "${name(node)} is cut by what it stands in".takeIf { isCut(node) },
    )

    private fun isTapped(node: SemanticsNode) = SemanticsActions.OnClick in node.config

    private fun isSmall(node: SemanticsNode): Boolean {
        val least = with(density) { TARGET.toPx() } - ROUNDING
        return node.size.width < least || node.size.height < least
    }

    /** What is read of a node: its own words, or those of what is in it. */
    private fun words(node: SemanticsNode): List<String> = descendants(node).flatMap { part ->
        part.config.getOrNull(SemanticsProperties.Text).orEmpty().map { it.text } +
            part.config.getOrNull(SemanticsProperties.ContentDescription).orEmpty() +
            listOfNotNull(part.config.getOrNull(SemanticsProperties.EditableText)?.text)
    }.filter { it.isNotBlank() }

    private fun isTextCut(node: SemanticsNode): Boolean {
        if (SemanticsProperties.EditableText in node.config) return false
        val results = mutableListOf<TextLayoutResult>()
        node.config.getOrNull(SemanticsActions.GetTextLayoutResult)?.action?.invoke(results)
        return results.any { it.didOverflowHeight || it.isWiderThanItsPlace() || it.isBroken() }
    }

    /** Its own account of it goes by the width that it was offered, not by what it needs. */
    private fun TextLayoutResult.isWiderThanItsPlace(): Boolean = (0 until lineCount).any { line ->
        isLineEllipsized(line) || getLineRight(line) - getLineLeft(line) > size.width + ROUNDING
    }

    /** Whether a word did not fit into a line and goes on in the next one. */
    private fun TextLayoutResult.isBroken(): Boolean = (0 until lineCount - 1).any { line ->
        val end = getLineEnd(line)
        end in 1 until layoutInput.text.length && layoutInput.text[end - 1].isLetter() && layoutInput.text[end].isLetter()
    }

    /** What scrolls may be cut where it scrolls, from top to bottom; nothing else may be. */
    private fun isCut(node: SemanticsNode): Boolean {
        if (!isContent(node)) return false
        val whole = Rect(node.positionInRoot, node.size.toSize())
        val seen = node.boundsInRoot
        val isOutside = whole.left < -ROUNDING || whole.right > root.size.width + ROUNDING
        val scrolls = generateSequence(node.parent) { it.parent }.any { SemanticsProperties.VerticalScrollAxisRange in it.config }
        if (scrolls && seen.isEmpty) return isOutside
        return isOutside || whole.width - seen.width > ROUNDING || (!scrolls && whole.height - seen.height > ROUNDING)
    }

    private fun isContent(node: SemanticsNode) = isTapped(node) || SemanticsProperties.Text in node.config ||
        SemanticsProperties.ContentDescription in node.config

    private fun overlaps(): List<String> {
        val content = all.filter { isContent(it) && !it.boundsInRoot.isEmpty }
        return content.flatMapIndexed { index, one ->
            content.drop(index + 1).filter { other -> overlap(one, other) }.map { "${name(one)} and ${name(it)} overlap" }
        }
    }

    private fun overlap(one: SemanticsNode, other: SemanticsNode): Boolean {
        val common = one.boundsInRoot.intersect(other.boundsInRoot)
        if (common.width <= ROUNDING || common.height <= ROUNDING) return false
        return !isWithin(one, other) && !isWithin(other, one)
    }

    private fun isWithin(node: SemanticsNode, outer: SemanticsNode) = generateSequence(node) { it.parent }.any { it.id == outer.id }

    private fun name(node: SemanticsNode) = words(node).joinToString(" ", "\"", "\"").take(60)

    private fun descendants(node: SemanticsNode): List<SemanticsNode> = listOf(node) + node.children.flatMap(::descendants)
}
