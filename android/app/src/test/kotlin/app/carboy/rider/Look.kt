package app.carboy.rider

import org.robolectric.RuntimeEnvironment

private const val SMALL = "sw320dp-w320dp-h569dp-port"
private const val SMALL_LYING = "sw320dp-w569dp-h320dp-land"
private const val LARGE = "sw411dp-w411dp-h891dp-port"

/** How a phone is held and set: the qualifiers of its configuration, and the size of its text. */
enum class Look(private val language: String, private val size: String, private val night: String, private val text: Float) {
    SmallLight("en-rKE", SMALL, "notnight-hdpi", 1f),
    LargeLight("en-rKE", LARGE, "notnight-xhdpi", 1f),
    SmallDark("en-rKE", SMALL, "night-hdpi", 1f),
    LargeDark("en-rKE", LARGE, "night-xhdpi", 1f),
    SmallLying("en-rKE", SMALL_LYING, "notnight-hdpi", 1f),
    SmallArabic("ar-rEG-ldrtl", SMALL, "notnight-hdpi", 1f),
    LargeArabicDark("ar-rEG-ldrtl", LARGE, "night-xhdpi", 1f),
    SmallLargeText("en-rKE", SMALL, "notnight-hdpi", 2f),
    SmallFrenchLargeText("fr-rCI", SMALL, "night-hdpi", 2f),
    SmallArabicLargeText("ar-rEG-ldrtl", SMALL, "notnight-hdpi", 2f),
    SmallHindi("hi-rIN", SMALL, "notnight-hdpi", 1f),
    SmallSwahili("sw-rKE", SMALL, "notnight-hdpi", 1f),
    ;

    /** The phone is like this from now on; a window that is open has to be made anew. */
    fun set() {
        val direction = if ("ldrtl" in language) "" else "-ldltr"
        RuntimeEnvironment.setQualifiers("$language$direction-$size-$night")
        RuntimeEnvironment.setFontScale(text)
    }
}
