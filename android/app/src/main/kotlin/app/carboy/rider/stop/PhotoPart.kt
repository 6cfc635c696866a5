package app.carboy.rider.stop

import android.Manifest.permission.CAMERA
import android.content.ActivityNotFoundException
import android.content.pm.PackageManager.PERMISSION_GRANTED
import androidx.activity.compose.rememberLauncherForActivityResult
import androidx.activity.result.contract.ActivityResultContracts.RequestPermission
import androidx.activity.result.contract.ActivityResultContracts.TakePicture
import androidx.compose.runtime.Composable
import androidx.compose.runtime.getValue
import androidx.compose.ui.platform.LocalContext
import androidx.compose.ui.res.stringResource
import androidx.core.content.ContextCompat.checkSelfPermission
import androidx.lifecycle.compose.collectAsStateWithLifecycle
import app.carboy.rider.R
import app.carboy.rider.ui.Notice
import app.carboy.rider.ui.SideButton
import app.carboy.rider.ui.Tone

/** A proof photo by the phone's own camera app. An app that may use the camera itself, for QR codes, has to be allowed to. */
@Composable
fun PhotoPart(model: StopModel) {
    val photo by model.photo.collectAsStateWithLifecycle()
    val hasProblem by model.photoProblem.collectAsStateWithLifecycle()
    val context = LocalContext.current
    val camera = rememberLauncherForActivityResult(TakePicture(), model::photographed)
    val take = {
        try {
            camera.launch(Photos(context).uri(model.photoFile()))
        } catch (_: ActivityNotFoundException) {
            model.photoImpossible()
        }
    }
    val permission = rememberLauncherForActivityResult(RequestPermission()) { if (it) take() else model.photoImpossible() }
    val ask = { if (checkSelfPermission(context, CAMERA) == PERMISSION_GRANTED) take() else permission.launch(CAMERA) }
    if (hasProblem) Notice(stringResource(R.string.photo_problem), Tone.Bad, R.drawable.ic_attention)
    if (photo.isEmpty()) {
        SideButton(stringResource(R.string.photo_take), ask, icon = R.drawable.ic_camera)
    } else {
        Notice(stringResource(R.string.photo_taken), Tone.Good, R.drawable.ic_saved)
        SideButton(stringResource(R.string.photo_remove), model::removePhoto, icon = R.drawable.ic_failed)
    }
}
