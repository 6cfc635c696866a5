package app.carboy.testing

import java.io.InputStream
import java.io.OutputStream
import java.net.InetAddress
import java.net.ServerSocket
import java.net.Socket
import java.net.SocketException
import java.net.URI
import java.util.concurrent.CopyOnWriteArrayList
import java.util.concurrent.Semaphore
import java.util.concurrent.TimeUnit
import java.util.concurrent.atomic.AtomicInteger
import java.util.concurrent.locks.ReentrantLock
import kotlin.concurrent.thread
import kotlin.concurrent.withLock

/** The way to [server] over a proxy on this machine, which counts requests and can hold them up. */
class TestLink(private val server: String) : AutoCloseable {
    private val listener = ServerSocket(0, 50, InetAddress.getLoopbackAddress())
    private val sockets = CopyOnWriteArrayList<Socket>()
    private val held = Semaphore(0)
    private val gate = ReentrantLock()
    private val opened = gate.newCondition()
    private var isHolding = false
    private val count = AtomicInteger()

    /** The address that a phone takes for the server's. */
    val address = "http://127.0.0.1:${listener.localPort}"

    /** How many requests have come from phones. */
    val requests: Int get() = count.get()

    init {
        thread(name = "test-link", isDaemon = true) { unlessClosed { while (true) carry(listener.accept()) } }
    }

    /** From now on requests do not reach the server. */
    fun hold() = gate.withLock { isHolding = true }

    /** Returns once a request is held up. */
    fun awaitHeld() = check(held.tryAcquire(30, TimeUnit.SECONDS)) { "no request came" }

    /** What was held up goes on. */
    fun release() = gate.withLock {
        isHolding = false
        opened.signalAll()
    }

    override fun close() {
        listener.close()
        sockets.forEach { it.close() }
        release()
    }

    private fun carry(phone: Socket) {
        val upstream = URI(server).let { Socket(it.host, it.port) }
        sockets += listOf(phone, upstream)
        pump(phone, upstream) { bytes, length ->
            if (String(bytes, 0, length, Charsets.ISO_8859_1).startsWith("POST ")) count.incrementAndGet()
            gate.withLock {
                if (isHolding) held.release()
                while (isHolding) opened.await()
            }
        }
        pump(upstream, phone) { _, _ -> }
    }

    private fun pump(from: Socket, to: Socket, before: (ByteArray, Int) -> Unit) {
        thread(name = "test-link", isDaemon = true) {
            unlessClosed { copy(from.getInputStream(), to.getOutputStream(), before) }
            from.close()
            to.close()
        }
    }

    private fun copy(from: InputStream, to: OutputStream, before: (ByteArray, Int) -> Unit) {
        val bytes = ByteArray(64 * 1024)
        while (true) {
            val length = from.read(bytes)
            if (length < 0) return
            before(bytes, length)
            to.write(bytes, 0, length)
            to.flush()
        }
    }

    private fun unlessClosed(work: () -> Unit) = try {
        work()
    } catch (_: SocketException) {
        // Closed by one end: there is nothing to carry any more.
    }
}
