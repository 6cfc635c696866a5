package app.carboy.rider

import android.icu.text.PluralRules
import java.io.File
import java.util.Locale
import javax.xml.parsers.DocumentBuilderFactory
import org.junit.Assert.assertEquals
import org.junit.Test
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.w3c.dom.Element

private val LANGUAGES = listOf("fr", "sw", "hi", "ar")

/** `%1$s`: the only kind of argument there is. */
private val ARGUMENT = Regex("""%(\d+)\${'$'}s""")

/** What a screen is given to show; a text of it stands in the resources. */
private val SHOWN = Regex("""\b(Text|Line|Hint|Part|Sum|Fact|Notice|MainButton|SideButton|Field|Counter|Mark|FormScreen|ListScreen)\(\s*"""")
private val SENTENCE = Regex(""""[A-Z][a-z]+[^"]*"""")

/** Every text of the app and of the shell in every language. */
@RunWith(RobolectricTestRunner::class)
class StringsTest {
    private val modules = listOf(File("src/main"), File("../shell/src/main"))

    /** One text, by its name and, of a plural, its category. */
    private fun texts(module: File, language: String): Map<Pair<String, String>, String> =
        File(module, if (language == "en") "res/values" else "res/values-$language").listFiles().orEmpty()
            .filter { it.name.endsWith("strings.xml") }
            .flatMap { file -> children(DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(file).documentElement) }
            .flatMap { element ->
                val name = element.getAttribute("name")
                if (element.tagName == "plurals") {
                    children(element).map { (name to it.getAttribute("quantity")) to it.textContent }
                } else {
                    listOf((name to "") to element.textContent)
                }
            }.toMap()

    private fun children(element: Element): List<Element> =
        (0 until element.childNodes.length).map(element.childNodes::item).filterIsInstance<Element>()

    private fun arguments(text: String) = ARGUMENT.findAll(text).map { it.groupValues[1] }.toSet()

    @Test
    fun `every text is there in every language, with the same arguments`() {
        for (module in modules) {
            val english = texts(module, "en").entries.groupBy({ it.key.first }, { arguments(it.value) }).mapValues { it.value.toSet() }
            for (language in LANGUAGES) {
                val other = texts(module, language).entries.groupBy({ it.key.first }, { arguments(it.value) }).mapValues { it.value.toSet() }
                assertEquals("$language in $module", english, other)
            }
        }
    }

    @Test
    fun `a plural has just the forms that its language has`() {
        for (language in LANGUAGES + "en") {
            val forms = PluralRules.forLocale(Locale.forLanguageTag(language)).keywords
            val plurals = texts(modules.first(), language).keys.filter { it.second.isNotEmpty() }.groupBy({ it.first }, { it.second })
            for ((name, found) in plurals) assertEquals("$name in $language", forms, found.toSet())
        }
    }

    @Test
    fun `no text is empty, and arguments are text that the app has written`() {
        for (language in LANGUAGES + "en") {
            val odd = modules.flatMap { texts(it, language).entries }
                .filter { (_, text) -> text.isBlank() || "%" in ARGUMENT.replace(text, "") }
            assertEquals(language, listOf<Any>(), odd)
        }
    }

    @Test
    fun `no screen has a text of its own`() {
        val sources = modules.flatMap { File(it, "kotlin").walk().filter { file -> file.extension == "kt" } }
        val found = sources.filter { "@Composable" in it.readText() }.flatMap { file ->
            val code = file.readLines().filterNot { it.trim().startsWith("*") || it.trim().startsWith("/") || it.trim().startsWith("//") }
            code.filter { SHOWN.containsMatchIn(it) || SENTENCE.containsMatchIn(it) }.map { "${file.name}: ${it.trim()}" }
        }
        assertEquals(listOf<String>(), found)
    }
}
