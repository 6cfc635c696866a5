// What a signed-in Android phone needs around the core: network, background work, keys, session.
plugins {
    alias(libs.plugins.android.library)
    alias(libs.plugins.kotlin.android)
}

android {
    namespace = "app.carboy.shell"
    compileSdk = libs.versions.compileSdk.get().toInt()

    defaultConfig {
        minSdk = libs.versions.minSdk.get().toInt()
    }
    testOptions.unitTests {
        isIncludeAndroidResources = true
        all {
            it.systemProperty("jna.library.path", rootProject.file("../target/debug").path)
            it.environment("CARBOY_SERVER", rootProject.file("../target/debug/carboy-server").path)
        }
    }
}

kotlin {
    jvmToolchain(17)
}

dependencies {
    api(project(":carboy"))
    implementation(libs.lifecycle.process)
    implementation(libs.work.runtime)

    testImplementation(project(":testing"))
    testImplementation(libs.activity.compose)
}
