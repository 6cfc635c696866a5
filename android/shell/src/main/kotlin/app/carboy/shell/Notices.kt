package app.carboy.shell

import android.app.Notification
import android.app.NotificationChannel
import android.app.NotificationManager
import android.app.PendingIntent
import android.content.Context
import androidx.annotation.StringRes

/**
 * What the rider is told while the app is not in front. Without the permission for notifications (Android 13) the
 * system leaves them out; the app says the same on its screens.
 */
internal class Notices(private val context: Context) {
    private val manager = checkNotNull(context.getSystemService(NotificationManager::class.java))

    /** What Android before 12 shows while an expedited job runs. */
    fun sending(): Notification =
        builder(CHANNEL_SENDING, R.string.carboy_channel_sending, NotificationManager.IMPORTANCE_LOW)
            .setContentTitle(context.getString(R.string.carboy_sending))
            .build()

    /** The server wants a new sign-in. */
    fun needsSignIn() = needs(R.string.carboy_needs_sign_in, R.string.carboy_needs_sign_in_text)

    /** The server wants a newer version of the app. */
    fun needsUpgrade() = needs(R.string.carboy_needs_upgrade, R.string.carboy_needs_upgrade_text)

    /** Nothing is needed any more. */
    fun clear() = manager.cancel(NEEDED)

    private fun needs(@StringRes title: Int, @StringRes text: Int) {
        val open = context.packageManager.getLaunchIntentForPackage(context.packageName)
        val notification =
            builder(CHANNEL_NEEDED, R.string.carboy_channel_needed, NotificationManager.IMPORTANCE_DEFAULT)
                .setContentTitle(context.getString(title))
                .setContentText(context.getString(text))
                .setStyle(Notification.BigTextStyle().bigText(context.getString(text)))
                .setContentIntent(open?.let { PendingIntent.getActivity(context, 0, it, PendingIntent.FLAG_IMMUTABLE) })
                .setAutoCancel(true)
                .setOnlyAlertOnce(true)
                .build()
        manager.notify(NEEDED, notification)
    }

    private fun builder(channel: String, @StringRes name: Int, importance: Int): Notification.Builder {
        manager.createNotificationChannel(NotificationChannel(channel, context.getString(name), importance))
        return Notification.Builder(context, channel).setSmallIcon(R.drawable.carboy_ic_notice)
    }

    companion object {
        /** The notification of a job that runs; far from what an app numbers its own with. */
        const val SENDING = 0xCA4B01

        /** The notification that says what the rider has to do. */
        const val NEEDED = 0xCA4B02

        private const val CHANNEL_SENDING = "carboy.sending"
        private const val CHANNEL_NEEDED = "carboy.needed"
    }
}
