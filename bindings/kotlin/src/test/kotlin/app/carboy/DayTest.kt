package app.carboy

import java.nio.file.Files
import java.nio.file.Path
import kotlin.random.Random
import kotlinx.coroutines.runBlocking
import org.junit.jupiter.api.Assertions.assertEquals
import org.junit.jupiter.api.Assertions.assertNull
import org.junit.jupiter.api.Assertions.assertTrue
import org.junit.jupiter.api.Test
import org.junit.jupiter.api.assertThrows

/** A rider's whole day, and what needs attention in it. */
class DayTest : ServerTest() {
    @Test
    fun `a whole day recorded offline adds up, and is the same once the server has it`() = runBlocking {
        withPhone { carboy ->
            carboy.networkChanged(false)
            val route = carboy.routes().single().route
            val owed = carboy.stops(route).first().customer.balance.minor
            val evening = wholeDay(carboy, route)
            val (pending, photos) = carboy.status().let { it.pending to it.photos }
            assertEquals(14uL to 1uL, pending to photos)
            assertEquals(listOf("start_shift", "load_stock"), carboy.waiting(0u, 2u).map { it.kind })
            val states = listOf(StopState.DELIVERED, StopState.FAILED, StopState.SKIPPED, null, null, null)
            assertEquals(states + StopState.DELIVERED, carboy.stops(route).map { it.state })
            assertTrue(carboy.stops(route).none { it.state != null && it.settled })

            carboy.networkChanged(true)
            // The phone may have sent some of it by itself before this asks for it.
            val report = carboy.syncNow()
            assertEquals(0uL to 0uL, report.status.pending to report.status.photos)
            assertEquals(evening, carboy.day())
            assertTrue(carboy.stops(route).all { it.settled })
            assertEquals(owed + 25_000, carboy.stops(route).first().customer.balance.minor)
            val records = carboy.records(limit = 100u)
            assertTrue(records.all { it.state == Settlement.APPLIED })
            assertEquals(listOf("collect_cash"), records.filter { it.withdrawn }.map { it.kind })
            assertEquals(records.drop(5), carboy.records(records[4].id, 100u))
        }
        // What the server holds, seen by another rider's phone.
        withPhone { carboy ->
            val added = carboy.customers("BRIDGE").single()
            assertEquals("Kiosk by the bridge" to 15_000L, added.name to added.balance.minor)
        }
    }

    private fun wholeDay(carboy: Carboy, route: RouteId): DaySummary {
        val (first, second, third) = carboy.stops(route).map { it.customer }
        carboy.startShift(route)
        assertThrows<CarboyException.ShiftOpen> { carboy.startShift() }
        carboy.loadStock(listOf(StockLine(bottle, 20, 0)))
        carboy.noteProgress(first.customer, StopProgress.ARRIVED)
        carboy.confirmDelivery(first.customer, listOf(DeliveredLine(bottle, 3, 2)), "slip 17", listOf(photo()))
        carboy.collectCash(first.customer, kes(20_000))
        val mistake = carboy.collectCash(first.customer, kes(2_000))
        val withdrawn = carboy.withdraw(mistake.id, "typed twice")
        assertEquals(first.balance.minor + 45_000 - 20_000, withdrawn.customer?.balance?.minor)
        assertThrows<CarboyException.NotPossible> { carboy.withdraw(mistake.id) }
        carboy.failDelivery(second.customer, FailReason.CLOSED, "shutters down")
        carboy.noteProgress(third.customer, StopProgress.SKIPPED)
        val added = carboy.addCustomer(mapOf(Field.NAME to "Kiosk by the bridge"), route).customer
        val served = carboy.confirmDelivery(added.customer, listOf(DeliveredLine(bottle, 1, 0)))
        assertEquals(15_000L, served.customer.balance.minor)
        assertEquals(20_000L, carboy.day().cashInHand.minor)
        carboy.handInCash(kes(20_000), "receipt 5")
        carboy.returnStock(listOf(StockLine(bottle, 16, 2)))
        val evening = carboy.finishShift()
        assertNull(evening.customer)
        val expected = DaySummary(
            checkNotNull(evening.day.shift),
            deliveries = 2, failures = 1, customers = 1,
            collected = kes(20_000), handedIn = kes(20_000), cashInHand = kes(0),
            products = listOf(DayProduct(bottle, 20, 16, 4, 2, 0, 0)),
        )
        assertEquals(expected, evening.day)
        assertThrows<CarboyException.NoShift> { carboy.finishShift() }
        return evening.day
    }

    private fun photo(): String {
        val file = folder.resolve("shutters.jpg")
        Files.write(file, Random(17).nextBytes(200_000))
        return file.toString()
    }

    @Test
    fun `an action that cannot be says which, and nothing is recorded`() = runBlocking {
        withPhone { carboy ->
            val unknown = RouteId("00000000-0000-0000-0000-000000000000")
            val customer = carboy.anyCustomer()
            assertThrows<CarboyException.UnknownRoute> { carboy.startShift(unknown) }
            assertThrows<CarboyException.UnknownRecord> { carboy.withdraw(99u) }
            assertThrows<CarboyException.UnknownRecord> { carboy.accept(99u) }
            assertThrows<CarboyException.UnknownProduct> { carboy.loadStock(listOf(StockLine(ProductCode("none"), 1, 0))) }
            assertThrows<CarboyException.Invalid> { carboy.addCustomer(mapOf(Field.PHONE to "0722")) }
            assertThrows<CarboyException.NotPossible> { carboy.settleEdit(customer, Field.PHONE, Keep.MINE) }
            assertThrows<CarboyException.UnreadablePhoto> {
                carboy.confirmDelivery(customer, listOf(DeliveredLine(bottle, 1, 0)), photos = listOf(path("no such photo")))
            }
            assertEquals(0uL, carboy.status().pending)
        }
    }

    @Test
    fun `what the server does not accept is sent again corrected, and the money is right`() = runBlocking {
        val keys = Keys()
        val enrolment = enrolled(keys)
        val owed = open(enrolment, keys).use { carboy ->
            carboy.syncNow()
            carboy.networkChanged(false)
            val customer = carboy.anyCustomer()
            carboy.customer(customer).balance.minor.also { carboy.collectCash(customer, kes(1_234_567)) }
        }
        // Somebody edits the phone's file: the hash chain tells on arrival.
        edit(folder.resolve("${enrolment.account}.db"), "1234567", "1234999")
        open(enrolment, keys).use { carboy ->
            assertEquals(0uL, carboy.syncNow().status.pending)
            val refused = (carboy.attention().single() as Attention.Mutation).refused
            assertEquals("tampered" to "collect_cash", refused.reason to refused.kind)
            assertTrue(Choice.CORRECT in refused.choices)
            val line = listOf(DeliveredLine(bottle, 1, 0))
            assertThrows<CarboyException.NotPossible> { carboy.resend(refused.id, Correction.Lines(line)) }
            carboy.resend(refused.id, Correction.Amount(kes(1_234)))
            assertEquals(0, carboy.attention().size)
            assertEquals(0uL, carboy.syncNow().status.pending)
            assertEquals(0, carboy.attention().size)
            val customer = carboy.customer(checkNotNull(refused.customer))
            assertEquals(owed - 1_234, customer.balance.minor)
            assertEquals(0L, customer.unsettled.minor)
        }
    }

    private fun edit(file: Path, old: String, new: String) {
        // What is left of the log is in the file too, and would hide the edit.
        listOf("wal", "shm").forEach { Files.deleteIfExists(Path.of("$file-$it")) }
        val text = String(Files.readAllBytes(file), Charsets.ISO_8859_1)
        check(old in text) { "$file has no $old" }
        Files.write(file, text.replace(old, new).toByteArray(Charsets.ISO_8859_1))
    }

    @Test
    fun `an edit that stands behind another one can be brought back`() = runBlocking {
        withPhone { first ->
            withPhone { second ->
                val customer = first.anyCustomer()
                val phones = listOf(first to "0711", second to "0722")
                phones.forEach { (carboy, number) -> carboy.updateProfile(customer, mapOf(Field.PHONE to number)) }
                repeat(2) { phones.forEach { (carboy, _) -> carboy.syncNow() } }
                val (loser, lost) = phones.firstNotNullOf { (carboy, _) ->
                    (carboy.attention().singleOrNull() as? Attention.Edit)?.let { carboy to it.lost }
                }
                assertEquals(setOf("0711", "0722"), setOf(lost.shown.value, lost.mine.value))
                assertEquals(lost.shown.value, loser.customer(customer).phone)
                loser.settleEdit(customer, lost.field, Keep.MINE)
                repeat(2) { phones.forEach { (carboy, _) -> carboy.syncNow() } }
                phones.forEach { (carboy, _) ->
                    assertEquals(lost.mine.value, carboy.customer(customer).phone)
                    assertEquals(0, carboy.attention().size)
                }
            }
        }
    }
}
