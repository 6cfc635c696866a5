// What the tests of the other modules share: a phone to test on, with a real server's process behind it.
plugins {
    alias(libs.plugins.android.library)
    alias(libs.plugins.kotlin.android)
}

android {
    namespace = "app.carboy.testing"
    compileSdk = libs.versions.compileSdk.get().toInt()

    defaultConfig {
        minSdk = libs.versions.minSdk.get().toInt()
    }
}

kotlin {
    jvmToolchain(17)
}

dependencies {
    api(project(":carboy"))
    api(libs.coroutines.test)
    api(libs.jna) // The jar, with the libraries for this computer; phones have the AAR's.
    api(libs.junit)
    api(libs.robolectric)
    api(libs.test.core)
    api(libs.test.ext.junit)
    api(libs.work.testing)
}
