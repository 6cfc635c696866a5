package app.carboy.testing

import android.app.Application
import android.os.Looper
import android.util.Log
import androidx.test.core.app.ApplicationProvider
import androidx.work.Configuration
import androidx.work.testing.WorkManagerTestInitHelper
import org.junit.After
import org.junit.AfterClass
import org.junit.Before
import org.junit.BeforeClass
import org.junit.runner.RunWith
import org.robolectric.RobolectricTestRunner
import org.robolectric.Shadows.shadowOf

/** A phone with a Keystore, a network and WorkManager; a real server for all tests of a class. The tests are the main thread. */
@RunWith(RobolectricTestRunner::class)
abstract class PhoneTest<A : Application> {
    protected val application: A = ApplicationProvider.getApplicationContext()
    protected val keystore = TestKeystore.install()
    protected val network = TestNetwork(application)

    @Before
    fun prepareWork() {
        val configuration = Configuration.Builder().setMinimumLoggingLevel(Log.ERROR).build()
        WorkManagerTestInitHelper.initializeTestWorkManager(application, configuration)
    }

    /** After what a test closes itself: it may still ask for a job. */
    @After
    fun closeWork() = WorkManagerTestInitHelper.closeWorkDatabase()

    /** What the main thread has to do is done. */
    protected fun idle() = shadowOf(Looper.getMainLooper()).idle()

    companion object {
        lateinit var server: TestServer

        @BeforeClass
        @JvmStatic
        fun startServer() {
            server = TestServer()
        }

        @AfterClass
        @JvmStatic
        fun stopServer() = server.close()
    }
}
