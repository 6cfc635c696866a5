package app.carboy.rider.stop

import android.content.Context
import android.graphics.Bitmap
import android.graphics.BitmapFactory
import android.graphics.Matrix
import android.media.ExifInterface
import android.net.Uri
import androidx.core.content.FileProvider
import java.io.File
import java.io.IOException
import java.util.UUID

/** Enough to read a shop's sign by, and some 200 kB: what a weak link takes between two stops. */
private const val LONGEST_SIDE = 1_600
private const val QUALITY = 75

/** Proof photos between the camera and the core, which keeps a copy of its own. */
class Photos(private val context: Context) {
    private val folder = File(context.cacheDir, "photos")

    /** A new file's name for the camera to write to. */
    fun fresh(): File {
        folder.mkdirs()
        return File(folder, "${UUID.randomUUID()}.jpg")
    }

    /** What the camera app calls it. */
    fun uri(file: File): Uri = FileProvider.getUriForFile(context, "${context.packageName}.files", file)

    fun forget(file: File) {
        file.delete()
    }

    /** Makes the photo upright and small; fails with [IOException] if it is no picture. Takes a while. */
    fun shrink(file: File) {
        val bounds = BitmapFactory.Options().apply { inJustDecodeBounds = true }
        BitmapFactory.decodeFile(file.path, bounds)
        val longest = maxOf(bounds.outWidth, bounds.outHeight)
        if (longest <= 0) throw IOException("$file is no picture")
        // A power of two: the decoder then never holds the whole of a large picture.
        val sample = Integer.highestOneBit(maxOf(1, longest / LONGEST_SIDE))
        val options = BitmapFactory.Options().apply { inSampleSize = sample }
        val picture = BitmapFactory.decodeFile(file.path, options) ?: throw IOException("$file is no picture")
        write(upright(picture, file), file)
    }

    private fun upright(picture: Bitmap, file: File): Bitmap {
        val scale = minOf(1f, LONGEST_SIDE.toFloat() / maxOf(picture.width, picture.height))
        val turn = Matrix().apply {
            postScale(scale, scale)
            postRotate(degrees(file))
        }
        return Bitmap.createBitmap(picture, 0, 0, picture.width, picture.height, turn, true)
    }

    private fun degrees(file: File): Float {
        val how = ExifInterface(file.path).getAttributeInt(ExifInterface.TAG_ORIENTATION, ExifInterface.ORIENTATION_NORMAL)
        return when (how) {
            ExifInterface.ORIENTATION_ROTATE_90 -> 90f
            ExifInterface.ORIENTATION_ROTATE_180 -> 180f
            ExifInterface.ORIENTATION_ROTATE_270 -> 270f
            else -> 0f
        }
    }

    private fun write(picture: Bitmap, file: File) {
        val part = File(file.path + ".part")
        part.outputStream().use { picture.compress(Bitmap.CompressFormat.JPEG, QUALITY, it) }
        if (!part.renameTo(file)) throw IOException("$part cannot take the place of $file")
    }
}
