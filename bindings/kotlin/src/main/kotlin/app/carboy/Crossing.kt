/**
 * How a call crosses to Rust. JNA copies a structure that is passed by value field by field, by reflection; so the
 * arguments, what is returned and how the call ended lie in memory that the calling thread keeps, in UniFFI's elements
 * of eight bytes, and only two addresses are passed. `cargo xtask bindings` lets the generated code do so.
 */
package app.carboy

import com.sun.jna.Callback
import com.sun.jna.CallbackThreadInitializer
import com.sun.jna.Native
import com.sun.jna.Pointer
import java.nio.ByteBuffer
import java.nio.ByteOrder

/** Calls Rust, and throws how that ended if it failed. */
internal inline fun <T, E : Exception> crossing(
    errors: UniffiRustCallStatusErrorHandler<E>,
    call: (Crossing) -> T,
): T {
    val crossing = Crossing.ofThisThread()
    val returned = call(crossing)
    crossing.check(errors)
    return returned
}

/** The same for a call that has no errors of its own. */
internal inline fun <T> crossing(call: (Crossing) -> T): T = crossing(UniffiNullRustCallStatusErrorHandler, call)

/**
 * Bytes that Rust has allocated, and gets back: what [RustBuffer] is as a structure, which JNA makes at a hundred times
 * the cost.
 *
 * @suppress
 */
class RustBytes internal constructor(internal val capacity: Long, internal var len: Long, internal val data: Pointer?) {
    internal fun asByteBuffer(): ByteBuffer? = data?.getByteBuffer(0, len)?.order(ByteOrder.BIG_ENDIAN)

    internal fun structure() = RustBuffer.create(capacity.toULong(), len.toULong(), data)
}

/** The other way round, for what a callback is given. */
internal fun RustBuffer.bytes() = RustBytes(capacity, len, data)

internal fun RustBuffer.setValue(other: RustBytes) = setValue(other.structure())

internal fun <T> FfiConverter<T, RustBytes>.lift(value: RustBuffer.ByValue): T = lift(value.bytes())

/** Leaves a thread of Rust's attached between its callbacks, and lets the process end without it. */
private val staying = CallbackThreadInitializer(true, false)

/**
 * Rust's own threads are attached to the virtual machine by their first callback and stay so until they end. JNA would
 * detach them after each one: after one that was made within another one too, which still runs. The JVM refuses that
 * (`JNA: could not detach thread`), and Android ends the process.
 */
internal fun keepsThread(callback: Callback) {
    Native.setCallbackThreadInitializer(callback, staying)
}

/**
 * One thread's memory for its calls. A call that comes in between, from a callback, does no harm: Rust has read the
 * arguments before it calls back, and writes what it returns after that.
 */
internal class Crossing private constructor() {
    private val elements = ByteBuffer.allocateDirect(2 * ROOM).order(ByteOrder.nativeOrder())
    val arguments: Pointer = Native.getDirectBufferPointer(elements)
    val returned: Pointer = arguments.share(ROOM.toLong())

    /** Where the next element is written or read. */
    private var at = 0

    fun begin() = also { at = 0 }

    fun put(value: Long) = also { elements.putLong(next(), value) }

    fun put(value: Int) = also { elements.putInt(next(), value) }

    fun put(value: Byte) = also { elements.put(next(), value) }

    fun put(value: RustBytes) = put(value.capacity).put(value.len).put(Pointer.nativeValue(value.data))

    fun end() = also { at = ROOM }

    fun long() = elements.getLong(next())

    fun bytes() = RustBytes(long(), long(), Pointer(address()))

    /** Where a function that returns a number itself writes how it ended. */
    fun status(): Pointer {
        elements.put(end().at, UNIFFI_CALL_SUCCESS)
        return returned
    }

    /** Throws what stands behind what was returned, if the call failed. */
    fun <E : Exception> check(errors: UniffiRustCallStatusErrorHandler<E>) {
        val code = elements.get(next())
        if (code == UNIFFI_CALL_SUCCESS) return
        uniffiCheckCallStatus(errors, UniffiRustCallStatus.create(code, bytes().structure()))
    }

    private fun next() = at.also { at += ELEMENT }

    /** Fills its element on 64 bits alone. */
    private fun address() = if (Native.POINTER_SIZE == ELEMENT) long() else elements.getInt(next()).toUInt().toLong()

    companion object {
        private const val ELEMENT = 8

        /** Bytes for the arguments, and for what is returned: five times as much as any call needs. */
        private const val ROOM = 1024

        private val ofThreads = ThreadLocal.withInitial { Crossing() }

        fun ofThisThread(): Crossing = ofThreads.get()

        fun alloc(size: Long): RustBytes = ofThisThread().run {
            UniffiLib.carboy_buffer_alloc(size, returned)
            end().bytes()
        }

        fun free(bytes: RustBytes) = ofThisThread().run {
            begin().put(bytes)
            UniffiLib.carboy_buffer_free(arguments)
        }
    }
}
