/** What other apps on the phone are asked for. Each says whether there is one for it. */
package app.carboy.rider

import android.content.ActivityNotFoundException
import android.content.Context
import android.content.Intent
import android.net.Uri
import androidx.core.content.FileProvider
import java.io.File

/** Opens the telephone with [number]; the rider starts the call himself. */
fun Context.dial(number: String) = open(Intent(Intent.ACTION_DIAL, Uri.fromParts("tel", number, null)))

/** Looks for [address] on a map. */
fun Context.showOnMap(address: String) = open(Intent(Intent.ACTION_VIEW, Uri.parse("geo:0,0?q=${Uri.encode(address)}")))

/** Hands [text] to whatever app the rider chooses. */
fun Context.shareText(text: String) =
    open(Intent.createChooser(Intent(Intent.ACTION_SEND).setType("text/plain").putExtra(Intent.EXTRA_TEXT, text), null))

/** Hands [file] of the folder [sharedFolder] to whatever app the rider chooses. */
fun Context.shareFile(file: File) {
    val uri = FileProvider.getUriForFile(this, "$packageName.files", file)
    val send = Intent(Intent.ACTION_SEND).setType("application/octet-stream").putExtra(Intent.EXTRA_STREAM, uri)
    open(Intent.createChooser(send.addFlags(Intent.FLAG_GRANT_READ_URI_PERMISSION), null))
}

/** Where files lie that are shared. */
fun Context.sharedFolder(): File = File(cacheDir, "shared").apply { mkdirs() }

private fun Context.open(intent: Intent) = try {
    startActivity(intent.addFlags(Intent.FLAG_ACTIVITY_NEW_TASK))
    true
} catch (_: ActivityNotFoundException) {
    false
}
