package app.carboy.testing

import java.io.File
import java.nio.file.Files
import java.util.concurrent.TimeUnit

/** A real server process with a sample plant, in a folder of its own. */
class TestServer : AutoCloseable {
    private val program = checkNotNull(System.getenv("CARBOY_SERVER")) { "CARBOY_SERVER names the server's program" }
    private val folder: File = Files.createTempDirectory("carboy-server").toFile()
    private val codes: Iterator<String>
    private val process: Process

    /** Its address, for example `http://127.0.0.1:40123`. */
    val address: String

    init {
        val sample = run("seed", "--customers", "6", "--routes", "1", "--riders", "40")
        codes = Regex("\"enrol_code\": \"([^\"]+)\"").findAll(sample).map { it.groupValues[1] }.toList().iterator()
        process = command("serve", "--listen", "127.0.0.1:0").start()
        val line = process.inputStream.bufferedReader().readLine()
        address = checkNotNull(line) { "the server said nothing" }.removePrefix("listening on ")
    }

    /** A one-time code of a rider who has not enrolled yet. */
    fun code(): String = codes.next()

    private fun command(vararg arguments: String) =
        ProcessBuilder(program, *arguments, "--data", folder.path).redirectError(ProcessBuilder.Redirect.INHERIT)

    private fun run(vararg arguments: String): String {
        val process = command(*arguments).start()
        val text = process.inputStream.bufferedReader().readText()
        check(process.waitFor() == 0) { "${arguments.toList()} failed" }
        return text
    }

    override fun close() {
        process.destroy()
        if (!process.waitFor(10, TimeUnit.SECONDS)) process.destroyForcibly().waitFor()
        folder.deleteRecursively()
    }
}
