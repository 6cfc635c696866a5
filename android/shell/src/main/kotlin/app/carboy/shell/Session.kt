package app.carboy.shell

import app.carboy.CarboyException
import app.carboy.Rider

/** Who works with this phone. */
sealed interface Session {
    /** It is being found out, at the start of the process. */
    data object Loading : Session

    /** Nobody: the phone has to be enrolled. */
    data object SignedOut : Session

    /** A rider, with his store open. */
    data class SignedIn(val rider: Rider, val identity: Identity) : Session

    /**
     * A rider whose store could not be opened, and why. Nothing of it was changed; it is tried again when the app
     * comes to the front, by [CarboyShell.retry], and when the phone is enrolled anew.
     */
    data class Broken(val error: CarboyException) : Session
}
