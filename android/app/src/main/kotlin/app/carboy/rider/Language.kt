package app.carboy.rider

import android.content.Context
import android.content.res.Configuration
import androidx.annotation.StringRes
import androidx.core.content.edit
import java.util.Locale

private const val SETTINGS = "settings"
private const val CHOSEN = "language"

/** The languages that the app speaks; each is called what its speakers call it. */
enum class Language(val tag: String?, @StringRes val label: Int) {
    /** Whatever the phone is set to. */
    Phone(null, R.string.language_phone),
    English("en", R.string.language_en),
    French("fr", R.string.language_fr),
    Swahili("sw", R.string.language_sw),
    Hindi("hi", R.string.language_hi),
    Arabic("ar", R.string.language_ar),
    ;

    companion object {
        /** The rider's choice on this phone. */
        fun chosen(context: Context): Language {
            val tag = settings(context).getString(CHOSEN, null)
            return entries.find { it.tag == tag } ?: Phone
        }

        /** Chooses; a screen that is shown has to be made anew. */
        fun choose(context: Context, language: Language) =
            settings(context).edit(commit = true) { putString(CHOSEN, language.tag) }

        /** [base] in the chosen language, with the phone's region: amounts are written as people do there. */
        fun wrap(base: Context): Context {
            val tag = chosen(base).tag ?: return base
            val region = base.resources.configuration.locales[0].country
            val locale = Locale.Builder().setLanguage(tag).setRegion(region).build()
            return base.createConfigurationContext(Configuration().apply { setLocale(locale) })
        }

        private fun settings(context: Context) = context.getSharedPreferences(SETTINGS, Context.MODE_PRIVATE)
    }
}
