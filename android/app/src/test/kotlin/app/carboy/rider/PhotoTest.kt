package app.carboy.rider

import android.Manifest.permission.CAMERA
import android.app.Activity
import android.content.Intent
import android.graphics.Bitmap
import android.graphics.BitmapFactory
import android.net.Uri
import android.provider.MediaStore
import java.io.File
import org.junit.Assert.assertEquals
import org.junit.Assert.assertTrue
import org.junit.Test
import org.robolectric.Shadows.shadowOf

/** A proof photo by the phone's camera app. */
class PhotoTest : AppScenario() {
    private val photos = File(application.cacheDir, "photos")

    private fun toCamera(): Pair<Int, File> {
        shadowOf(application).grantPermissions(CAMERA)
        enrolled()
        core { startShift(routes().single().route) }
        open()
        tap(R.string.route_go)
        tap(R.string.one_more, text(R.string.full_of, write.name("20 litre refill")))
        tap(R.string.cash_none)
        tap(R.string.photo_take)
        val asked = shadowOf(activity).nextStartedActivityForResult
        assertEquals(MediaStore.ACTION_IMAGE_CAPTURE, asked.intent.action)
        @Suppress("DEPRECATION")
        val uri = asked.intent.getParcelableExtra<Uri>(MediaStore.EXTRA_OUTPUT)
        return asked.requestCode to File(photos, checkNotNull(uri?.lastPathSegment))
    }

    /** What the camera does. */
    private fun take(file: File) {
        val picture = Bitmap.createBitmap(4_000, 3_000, Bitmap.Config.ARGB_8888)
        file.outputStream().use { picture.compress(Bitmap.CompressFormat.JPEG, 90, it) }
    }

    private fun answer(code: Int, result: Int) = shadowOf(activity).callOnActivityResult(code, result, Intent())

    private fun confirmWithPhoto() {
        sees(R.string.photo_taken)
        tap(R.string.stop_confirm)
        sees(R.string.receipt_saved)
        await("the photo on the server") { core { status() }.let { it.pending == 0uL && it.photos == 0uL } }
        assertEquals(listOf<String>(), photos.list().orEmpty().toList())
    }

    @Test
    fun `a photo is made small, goes with the delivery, and nothing of it stays with the app`() {
        val (code, file) = toCamera()
        take(file)
        answer(code, Activity.RESULT_OK)
        sees(R.string.photo_taken)
        val size = BitmapFactory.Options().apply { inJustDecodeBounds = true }.also { BitmapFactory.decodeFile(file.path, it) }
        assertTrue("${size.outWidth} × ${size.outHeight}", maxOf(size.outWidth, size.outHeight) in 1_000..1_600)
        confirmWithPhoto()
    }

    @Test
    fun `an app that is killed behind the camera still gets its photo`() {
        val (code, file) = toCamera()
        val kept = kill()
        take(file)
        restore(kept)
        answer(code, Activity.RESULT_OK)
        confirmWithPhoto()
    }

    @Test
    fun `a camera that gives nothing stands in nobody's way`() {
        val (code, _) = toCamera()
        answer(code, Activity.RESULT_CANCELED)
        sees(R.string.photo_take)
        tap(R.string.stop_confirm)
        sees(R.string.receipt_saved)
    }

    @Test
    fun `what is no picture is said to be none`() {
        val (code, file) = toCamera()
        file.writeText("no picture")
        answer(code, Activity.RESULT_OK)
        sees(R.string.photo_problem)
        assertEquals(0uL, core { status() }.photos)
    }
}
