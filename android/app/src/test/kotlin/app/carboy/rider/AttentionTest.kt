package app.carboy.rider

import app.carboy.Money
import org.junit.Assert.assertEquals
import org.junit.Test

/** What the server did not accept, dealt with by taps. */
class AttentionTest : AppScenario() {
    private val customer get() = core { customers(limit = 1u) }.single()

    private fun refused() {
        enrolled()
        refusedPayment()
        open()
        tap(write.many(R.plurals.attention_count, 1))
        sees(R.string.reason_tampered)
    }

    private fun awaitSettled() = await("everything settled") { core { status() }.let { it.pending == 0uL && it.attention == 0uL } }

    @Test
    fun `a payment is corrected on the keypad and sent again, and the server has the right amount`() {
        refused()
        val owed = customer.balance.minor
        tap(R.string.attention_correct)
        repeat(9) { tap(R.string.erase) }
        for (digit in listOf(1, 2)) tap(write.number(digit))
        tap(R.string.correct_send)
        sees(R.string.attention_none)
        awaitSettled()
        assertEquals(owed - 1_200, server.ledger().getValue(customer.customer))
        assertEquals(Money(owed - 1_200, "KES"), customer.balance)
    }

    @Test
    fun `it is sent again as it is`() {
        refused()
        val owed = customer.balance.minor
        tap(R.string.attention_retry)
        awaitSettled()
        assertEquals(owed - 1_234_999, server.ledger().getValue(customer.customer))
    }

    @Test
    fun `it is taken back, or left at that, and the money stays as it was`() {
        for (choice in listOf(R.string.attention_withdraw, R.string.attention_accept)) {
            refused()
            val owed = customer.balance.minor
            tap(choice)
            sees(R.string.attention_none)
            awaitSettled()
            assertEquals(owed, server.ledger()[customer.customer] ?: 0L)
        }
    }
}
