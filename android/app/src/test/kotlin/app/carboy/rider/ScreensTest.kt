package app.carboy.rider

import android.graphics.Bitmap
import android.graphics.Canvas
import android.graphics.Color
import android.view.View
import androidx.compose.ui.semantics.SemanticsActions
import androidx.compose.ui.semantics.SemanticsNode
import androidx.compose.ui.semantics.SemanticsProperties
import androidx.compose.ui.semantics.getOrNull
import androidx.compose.ui.test.isRoot
import androidx.compose.ui.unit.Density
import app.carboy.Carboy
import app.carboy.CustomerId
import app.carboy.DeliveredLine
import app.carboy.FailReason
import app.carboy.Field
import app.carboy.Money
import app.carboy.ProductCode
import app.carboy.Stop
import app.carboy.StopProgress
import app.carboy.rider.ui.Typed
import java.io.File
import kotlinx.coroutines.runBlocking
import org.junit.Assert.assertEquals
import org.junit.Assert.assertFalse
import org.junit.Assert.assertNull
import org.junit.Assert.assertTrue
import org.junit.Test
import org.robolectric.shadows.ShadowDialog

/** As many screenfuls as any screen has here. */
private const val MOST_SCREENFULS = 20

/** What the system lays over a window behind a dialog. */
private val SHADE = Color.argb(153, 0, 0, 0)

/**
 * Every screen in every [Look]: it stays what it is when the phone is turned, put into another language or killed;
 * nothing is cut, nothing lies over something else; and a picture of each is left to be looked at.
 */
class ScreensTest : AppScenario() {
    private val folder = File(checkNotNull(System.getProperty("carboy.shots")) { "carboy.shots names the pictures' folder" })
    private val stops: List<Stop> get() = core { stops(routes().single().route) }
    private val first: Stop get() = stops.first()

    /** A rider in the middle of his day, with a customer whose name is long. */
    private fun working() {
        enrolled()
        runBlocking {
            rider.record { startShift(routes().single().route) }
            val (one, two, three) = stops.map { it.customer.customer }
            rider.record { confirmDelivery(one, listOf(DeliveredLine(ProductCode("20L"), 3, 2))) }
            rider.record { collectCash(one, Money(45_000, "KES")) }
            rider.syncNow()
            loseNetwork()
            rider.record { failDelivery(two, FailReason.CLOSED, "Shutters down since the morning, the neighbour knows nothing") }
            val long = "Mama Wanjiku’s Supermarket and Hardware, Ngong Road Branch"
            rider.record { updateProfile(three, mapOf(Field.NAME to long, Field.NOTE to "Ring twice, the dog is friendly")) }
        }
    }

    private fun everywhere(screen: String, check: () -> Unit) {
        for (look in Look.entries) {
            look.set()
            recreate()
            check()
            compose.waitForIdle()
            picture("$screen-$look")
            inspect("$screen in $look")
        }
        Look.SmallLight.set()
        recreate()
        restore(kill())
        check()
    }

    /** The window, and the dialog over the middle of it. */
    private fun picture(name: String) {
        val view = activity.window.decorView
        val bitmap = Bitmap.createBitmap(view.width, view.height, Bitmap.Config.ARGB_8888)
        val canvas = Canvas(bitmap)
        view.draw(canvas)
        dialog()?.let { over ->
            canvas.drawColor(SHADE)
            canvas.translate((view.width - over.width) / 2f, (view.height - over.height) / 2f)
            over.draw(canvas)
        }
        folder.mkdirs()
        File(folder, "$name.png").outputStream().use { bitmap.compress(Bitmap.CompressFormat.PNG, 100, it) }
    }

    private fun dialog(): View? = ShadowDialog.getLatestDialog()?.takeIf { it.isShowing }?.window?.decorView

    private fun inspect(what: String) {
        var problems = setOf<String>()
        val screen = activity.window.decorView
        dialog()?.let { assertTrue("$what: ${it.height} of ${screen.height}", it.width <= screen.width && it.height <= screen.height) }
        repeat(MOST_SCREENFULS) {
            problems = problems + roots().flatMap { Inspection(it, density()).problems() }
            if (!scrollOn()) return assertEquals("$what: nothing is wrong", setOf<String>(), problems)
        }
        assertEquals("$what ends", "after $MOST_SCREENFULS screenfuls", problems)
    }

    private fun density() = Density(activity.resources.displayMetrics.density, activity.resources.configuration.fontScale)

    private fun roots(): List<SemanticsNode> = compose.onAllNodes(isRoot(), useUnmergedTree = true).fetchSemanticsNodes()

    /** Scrolls by most of what is seen; says whether there was anything to scroll to. */
    private fun scrollOn(): Boolean {
        val scrolling = roots().flatMap(::all).filter { node ->
            val range = node.config.getOrNull(SemanticsProperties.VerticalScrollAxisRange)
            range != null && range.value() < range.maxValue()
        }
        for (node in scrolling) {
            compose.runOnIdle { node.config.getOrNull(SemanticsActions.ScrollBy)?.action?.invoke(0f, node.size.height * 0.8f) }
        }
        compose.waitForIdle()
        return scrolling.isNotEmpty()
    }

    private fun all(node: SemanticsNode): List<SemanticsNode> = listOf(node) + node.children.flatMap(::all)

    private fun toStop() {
        tap(R.string.route_go)
    }

    @Test
    fun `signing in keeps what was typed`() {
        open()
        type(R.string.enrol_server, "https://plant.example")
        type(R.string.enrol_code, "ABCD-2345")
        everywhere("enrol") { sees("ABCD-2345") }
    }

    @Test
    fun `a store that cannot be opened says so, until it can be or the rider signs in anew`() {
        enrolled()
        val identity = File(application.noBackupFilesDir, "carboy/identity.json")
        val whole = identity.readText()
        shell.close()
        identity.writeText(whole.dropLast(9))
        application.onCreate()
        open()
        everywhere("broken") { sees(R.string.broken_title) }
        assertFalse(isOnScreen(R.string.problem_internal))
        tap(R.string.sign_in_again)
        everywhere("broken-enrol") { sees(R.string.enrol_intro) }
        tap(R.string.back)
        identity.writeText(whole)
        tap(R.string.try_again)
        sees(R.string.start_shift)
    }

    @Test
    fun `before the shift`() {
        enrolled()
        open()
        everywhere("start") { sees(R.string.start_shift) }
    }

    @Test
    fun `the route`() {
        working()
        open()
        everywhere("route") { sees(R.string.route_go) }
    }

    @Test
    fun `a stop keeps what was counted and typed`() {
        working()
        open()
        toStop()
        val bottle = write.name("20 litre refill")
        repeat(2) { tap(R.string.one_more, text(R.string.full_of, bottle)) }
        tap(R.string.cash_other)
        for (digit in listOf(2, 5, 0)) tap(write.number(digit))
        everywhere("stop") {
            sees(R.string.count_of, text(R.string.full_of, write.name("20 litre refill")), write.number(2))
            sees(R.string.stop_confirm_cash, write.money(Money(25_000, "KES")))
        }
    }

    @Test
    fun `a receipt stays`() {
        working()
        open()
        toStop()
        tap(R.string.one_more, text(R.string.full_of, write.name("20 litre refill")))
        tap(R.string.cash_none)
        tap(R.string.stop_confirm)
        sees(R.string.receipt_saved)
        val code = core { records(limit = 1u) }.single().code
        everywhere("receipt") { sees(code, isPart = true) }
        assertEquals(1, core { records(limit = 100u) }.count { it.kind == "confirm_delivery" && it.code == code })
    }

    @Test
    fun `a failure keeps its reason`() {
        working()
        open()
        toStop()
        tap(R.string.stop_cannot)
        tap(R.string.fail_other)
        type(R.string.fail_note, "Flooded street")
        everywhere("fail") { sees("Flooded street") }
    }

    @Test
    fun `the customers keep the search`() {
        working()
        open()
        tap(R.string.tab_customers)
        type(R.string.customers_search, first.customer.name.take(4))
        everywhere("customers") { sees(first.customer.name) }
    }

    private fun toCustomer() {
        tap(R.string.tab_customers)
        tap(first.customer.name)
        sees(R.string.customer_deliver)
    }

    @Test
    fun `a customer`() {
        working()
        open()
        toCustomer()
        everywhere("customer") { sees(R.string.customer_deliver) }
    }

    @Test
    fun `a customer's details keep what was typed`() {
        working()
        open()
        toCustomer()
        tap(R.string.customer_edit)
        type(R.string.field_phone, "0799 123 456")
        everywhere("edit") { sees("0799 123 456") }
    }

    @Test
    fun `cash from a customer keeps what was typed`() {
        working()
        open()
        toCustomer()
        tap(R.string.customer_cash)
        for (digit in listOf(1, 2, 5)) tap(write.number(digit))
        everywhere("cash") { sees(R.string.cash_save, write.money(Money(12_500, "KES"))) }
    }

    @Test
    fun `the day`() {
        working()
        open()
        tap(R.string.tab_day)
        everywhere("day") { sees(R.string.day_cash_in_hand) }
    }

    @Test
    fun `handing in keeps what was typed`() {
        working()
        open()
        tap(R.string.tab_day)
        tap(R.string.hand_in_title)
        tap(R.string.cash_everything, write.money(Money(45_000, "KES")))
        everywhere("hand-in") { sees(R.string.cash_save, write.money(Money(45_000, "KES"))) }
    }

    @Test
    fun `loading keeps what was counted`() {
        working()
        open()
        tap(R.string.tab_day)
        tap(R.string.load_title)
        tap(R.string.ten_more, text(R.string.full_of, write.name("20 litre refill")))
        everywhere("load") {
            sees(R.string.count_of, text(R.string.full_of, write.name("20 litre refill")), write.number(10))
        }
    }

    @Test
    fun `what was recorded`() {
        working()
        open()
        tap(R.string.tab_day)
        tap(R.string.records_title)
        everywhere("records") { sees(R.string.kind_update_profile) }
    }

    @Test
    fun `what is waiting`() {
        working()
        open()
        tap(waiting(2), isPart = true)
        everywhere("waiting") { sees(R.string.state_offline) }
    }

    @Test
    fun `what needs the rider`() {
        working()
        refusedPayment()
        open()
        tap(write.many(R.plurals.attention_count, 1))
        everywhere("attention") { sees(R.string.reason_tampered) }
    }

    /** The form for what the server has refused, of the customer whose turn it is. */
    private fun toCorrection(old: String, new: String, record: Carboy.(CustomerId) -> Unit) {
        working()
        val customer = stops[2].customer.customer
        refused(old, new) { record(customer) }
        open()
        tap(write.many(R.plurals.attention_count, 1))
        tap(R.string.attention_correct)
        sees(R.string.correct_send)
    }

    @Test
    fun `a corrected payment keeps what was typed`() {
        toCorrection("1234567", "1234999") { collectCash(it, Money(1_234_567, "KES")) }
        repeat(3) { tap(R.string.erase) }
        everywhere("correct-cash") { sees(text(R.string.typed_amount, Typed("12349", "KES").shown(write.locale), "KES")) }
    }

    @Test
    fun `a corrected delivery keeps what was counted`() {
        toCorrection("4321", "4329") { confirmDelivery(it, listOf(DeliveredLine(ProductCode("20L"), 4_321, 2))) }
        tap(R.string.one_more, text(R.string.empties_of, write.name("20 litre refill")))
        everywhere("correct-delivery") {
            sees(R.string.count_of, text(R.string.full_of, write.name("20 litre refill")), write.number(4_329))
            sees(R.string.count_of, text(R.string.empties_of, write.name("20 litre refill")), write.number(3))
        }
    }

    @Test
    fun `a corrected failure keeps its reason and what was typed`() {
        toCorrection("Flooded road", "Flooded lane") { failDelivery(it, FailReason.OTHER, "Flooded road") }
        type(R.string.fail_note, "Flooded bridge, no way around it")
        everywhere("correct-failure") { sees("Flooded bridge, no way around it") }
    }

    @Test
    fun `corrected details keep what was typed`() {
        toCorrection("0733 333", "0733 444") { updateProfile(it, mapOf(Field.PHONE to "0733 333")) }
        type(R.string.field_phone, "0799 123 456")
        everywhere("correct-details") { sees("0799 123 456") }
    }

    @Test
    fun `a stop passed over is corrected with the list of customers`() {
        working()
        refused("skipped", "arrived") { noteProgress(stops[2].customer.customer, StopProgress.SKIPPED) }
        open()
        tap(write.many(R.plurals.attention_count, 1))
        tap(R.string.attention_correct)
        everywhere("correct-customer") { sees(R.string.correct_customer) }
    }

    @Test
    fun `finishing the shift asks, and goes on asking`() {
        working()
        open()
        tap(R.string.tab_day)
        tap(R.string.finish_shift)
        everywhere("finish-dialog") { sees(R.string.finish_ask) }
        tap(R.string.ask_no)
        assertNull(core { day() }.shift?.finishedAt)
    }

    @Test
    fun `taking a record back asks, and goes on asking`() {
        working()
        open()
        tap(R.string.tab_day)
        tap(R.string.records_title)
        tap(R.string.withdraw)
        everywhere("withdraw-dialog") { sees(R.string.withdraw_ask) }
        tap(R.string.ask_no)
        assertTrue(core { records(limit = 100u) }.none { it.withdrawn })
    }

    @Test
    fun `more, and each thing in it`() {
        working()
        open()
        tap(R.string.tab_more)
        everywhere("more") { sees(R.string.language_title) }
        tap(R.string.language_title)
        everywhere("language") { sees(R.string.language_phone) }
        tap(R.string.back)
        // A process that begins may send before it is told that there is no network.
        loseNetwork()
        core { noteProgress(first.customer.customer, StopProgress.SKIPPED) }
        tap(R.string.sign_out_title)
        tap(R.string.sign_out_keep)
        everywhere("sign-out") { sees(R.string.sign_out_title) }
    }
}
