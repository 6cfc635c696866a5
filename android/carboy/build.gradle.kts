// The Kotlin package as an AAR: the sources are those of bindings/kotlin, the native libraries come from
// `cargo xtask package android`.
plugins {
    alias(libs.plugins.android.library)
    alias(libs.plugins.kotlin.android)
    `maven-publish`
}

android {
    namespace = "app.carboy"
    compileSdk = libs.versions.compileSdk.get().toInt()

    defaultConfig {
        minSdk = libs.versions.minSdk.get().toInt()
        consumerProguardFiles("consumer-rules.pro")
    }
    sourceSets["main"].kotlin.srcDirs("../../bindings/kotlin/generated", "../../bindings/kotlin/src/main/kotlin")
    publishing {
        singleVariant("release") { withSourcesJar() }
    }
}

kotlin {
    jvmToolchain(17)
}

dependencies {
    api(libs.coroutines.android)
    implementation(libs.jna) { artifact { type = "aar" } }
}

publishing {
    publications.register<MavenPublication>("release") {
        groupId = "app.carboy"
        artifactId = "carboy-android"
        version = libs.versions.carboy.get()
        afterEvaluate { from(components["release"]) }
        pom {
            name = "Carboy for Android"
            description = "The offline-first core for bottled-water delivery riders, for Android apps"
        }
    }
}
