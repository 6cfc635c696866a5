package app.carboy.shell

import android.util.AtomicFile
import androidx.core.util.readBytes
import androidx.core.util.writeBytes
import app.carboy.AccountId
import app.carboy.CarboyException
import app.carboy.DeviceId
import app.carboy.Enrolment
import app.carboy.PlantId
import java.io.File
import java.io.FileNotFoundException
import java.io.IOException
import org.json.JSONException
import org.json.JSONObject

/** Who is signed in on this phone, and where: an [Enrolment] without its token, which belongs among the secrets. */
data class Identity(
    /** The server's address. */
    val server: String,
    /** The phone, as the manager's device list names it. */
    val device: DeviceId,
    /** The rider. */
    val account: AccountId,
    /** The rider's name. */
    val accountName: String,
    /** The plant. */
    val plant: PlantId,
    /** The plant's name. */
    val plantName: String,
    /** The plant's currency, for example `KES`. */
    val currency: String,
) {
    internal constructor(server: String, enrolment: Enrolment) : this(
        server,
        enrolment.device,
        enrolment.account,
        enrolment.accountName,
        enrolment.plant,
        enrolment.plantName,
        enrolment.currency,
    )
}

/** The file that says who is signed in. It is there from the end of enrolment to the end of signing out. */
internal class IdentityFile(file: File) {
    private val file = AtomicFile(file)

    /** Who is signed in; fails with [CarboyException.Internal] if the file cannot be read. */
    fun read(): Identity? = try {
        JSONObject(file.readBytes().decodeToString()).run {
            Identity(
                getString("server"),
                DeviceId(getString("device")),
                AccountId(getString("account")),
                getString("account_name"),
                PlantId(getString("plant")),
                getString("plant_name"),
                getString("currency"),
            )
        }
    } catch (_: FileNotFoundException) {
        null
    } catch (error: IOException) {
        throw unreadable(error)
    } catch (error: JSONException) {
        throw unreadable(error)
    }

    private fun unreadable(error: Exception) =
        CarboyException.Internal("who is signed in cannot be read: $error").apply { initCause(error) }

    /** Keeps [identity] in place of what was there; on the phone's storage when this returns. */
    fun write(identity: Identity) {
        val json = JSONObject()
            .put("server", identity.server)
            .put("device", identity.device.text)
            .put("account", identity.account.text)
            .put("account_name", identity.accountName)
            .put("plant", identity.plant.text)
            .put("plant_name", identity.plantName)
            .put("currency", identity.currency)
        try {
            file.writeBytes(json.toString().encodeToByteArray())
        } catch (error: IOException) {
            throw CarboyException.StorageFull("who is signed in cannot be kept: $error").apply { initCause(error) }
        }
    }

    /** Nobody is signed in any more. */
    fun delete() = file.delete()
}
