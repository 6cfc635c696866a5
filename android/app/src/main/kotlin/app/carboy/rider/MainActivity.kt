package app.carboy.rider

import android.content.Context
import android.content.Intent
import android.os.Bundle
import androidx.activity.ComponentActivity
import androidx.activity.compose.setContent
import androidx.activity.enableEdgeToEdge
import androidx.compose.foundation.layout.Box
import androidx.compose.foundation.layout.fillMaxSize
import androidx.compose.foundation.layout.safeDrawingPadding
import androidx.compose.runtime.Composable
import androidx.compose.runtime.LaunchedEffect
import androidx.compose.runtime.getValue
import androidx.compose.runtime.key
import androidx.compose.runtime.mutableStateOf
import androidx.compose.runtime.saveable.rememberSaveable
import androidx.compose.runtime.setValue
import androidx.compose.ui.Modifier
import androidx.lifecycle.compose.collectAsStateWithLifecycle
import app.carboy.rider.enrol.BrokenScreen
import app.carboy.rider.enrol.EnrolModel
import app.carboy.rider.enrol.EnrolScreen
import app.carboy.rider.ui.CarboyTheme
import app.carboy.rider.ui.Ground
import app.carboy.shell.CarboyShell
import app.carboy.shell.Session

/** The app's one window. */
class MainActivity : ComponentActivity() {
    private var link by mutableStateOf<String?>(null)

    override fun attachBaseContext(base: Context) = super.attachBaseContext(Language.wrap(base))

    override fun onCreate(savedInstanceState: Bundle?) {
        enableEdgeToEdge()
        super.onCreate(savedInstanceState)
        // A link counts once: not when the window is made anew.
        if (savedInstanceState == null) link = intent.dataString
        val shell = (application as RiderApp).shell
        setContent { CarboyTheme { Ground { RiderUi(shell, link) { link = null } } } }
    }

    override fun onNewIntent(intent: Intent) {
        super.onNewIntent(intent)
        link = intent.dataString
    }
}

/** The screens for whoever works with this phone. [link] is what a camera app has read of the dashboard's QR code. */
@Composable
private fun RiderUi(shell: CarboyShell, link: String?, onLinkRead: () -> Unit) {
    val session by shell.session.collectAsStateWithLifecycle()
    Box(Modifier.fillMaxSize().safeDrawingPadding()) {
        when (val now = session) {
            // A moment, with the window's own background.
            Session.Loading -> Unit
            Session.SignedOut -> Enrol(shell, link, onLinkRead)
            is Session.Broken -> Broken(shell, now)
            // Another rider has screens of his own.
            is Session.SignedIn -> key(now.identity.account.text) { SignedInUi(Phone(shell, now.rider, now.identity)) }
        }
    }
}

@Composable
private fun Enrol(shell: CarboyShell, link: String?, onLinkRead: () -> Unit) {
    val model = screenModel { EnrolModel(shell, it) }
    LaunchedEffect(link) {
        if (link != null) {
            onLinkRead()
            model.opened(link)
        }
    }
    EnrolScreen(model, onBack = null, onDone = {})
}

@Composable
private fun Broken(shell: CarboyShell, session: Session.Broken) {
    var isEnrolling by rememberSaveable { mutableStateOf(false) }
    if (isEnrolling) {
        EnrolScreen(screenModel { EnrolModel(shell, it) }, { isEnrolling = false }, { isEnrolling = false })
    } else {
        BrokenScreen(session.error, shell::retry) { isEnrolling = true }
    }
}
