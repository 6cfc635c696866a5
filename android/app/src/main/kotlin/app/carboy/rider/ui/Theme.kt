/** Colours and type for a small screen in the sun: hardly any grey, nothing below 16 sp but the tabs' names. */
package app.carboy.rider.ui

import androidx.compose.foundation.isSystemInDarkTheme
import androidx.compose.material3.ColorScheme
import androidx.compose.material3.MaterialTheme
import androidx.compose.material3.Typography
import androidx.compose.material3.darkColorScheme
import androidx.compose.material3.lightColorScheme
import androidx.compose.runtime.Composable
import androidx.compose.ui.graphics.Color
import androidx.compose.ui.text.font.FontWeight
import androidx.compose.ui.unit.dp
import androidx.compose.ui.unit.sp

/** The smallest side of whatever is tapped: a gloved thumb's. */
val TARGET = 56.dp

private val Light: ColorScheme = lightColorScheme(
    primary = Color(0xFF003E73),
    onPrimary = Color.White,
    primaryContainer = Color(0xFFD3E6F8),
    onPrimaryContainer = Color(0xFF001D38),
    secondary = Color(0xFF003E73),
    onSecondary = Color.White,
    secondaryContainer = Color(0xFFD3E6F8),
    onSecondaryContainer = Color(0xFF001D38),
    tertiary = Color(0xFF14532D),
    onTertiary = Color.White,
    tertiaryContainer = Color(0xFFD5F2DE),
    onTertiaryContainer = Color(0xFF04260F),
    error = Color(0xFF8E1010),
    onError = Color.White,
    errorContainer = Color(0xFFFFE1B8),
    onErrorContainer = Color(0xFF3B1D00),
    background = Color.White,
    onBackground = Color(0xFF0B0B0B),
    surface = Color.White,
    onSurface = Color(0xFF0B0B0B),
    surfaceVariant = Color(0xFFEDEFF2),
    onSurfaceVariant = Color(0xFF2B2F33),
    outline = Color(0xFF4A4F55),
    outlineVariant = Color(0xFF9AA0A6),
    surfaceContainer = Color(0xFFEDEFF2),
    surfaceContainerHigh = Color.White,
    surfaceContainerHighest = Color(0xFFE3E6EA),
)

private val Dark: ColorScheme = darkColorScheme(
    primary = Color(0xFF9CCBFF),
    onPrimary = Color(0xFF00203D),
    primaryContainer = Color(0xFF0A3A63),
    onPrimaryContainer = Color(0xFFDCEBFF),
    secondary = Color(0xFF9CCBFF),
    onSecondary = Color(0xFF00203D),
    secondaryContainer = Color(0xFF0A3A63),
    onSecondaryContainer = Color(0xFFDCEBFF),
    tertiary = Color(0xFF8BE0A6),
    onTertiary = Color(0xFF04260F),
    tertiaryContainer = Color(0xFF0F4524),
    onTertiaryContainer = Color(0xFFD5F2DE),
    error = Color(0xFFFFB4A6),
    onError = Color(0xFF560A00),
    errorContainer = Color(0xFF5C3A00),
    onErrorContainer = Color(0xFFFFE1B8),
    background = Color.Black,
    onBackground = Color(0xFFF7F9FB),
    surface = Color.Black,
    onSurface = Color(0xFFF7F9FB),
    surfaceVariant = Color(0xFF1C2126),
    onSurfaceVariant = Color(0xFFDFE3E8),
    outline = Color(0xFFB4BAC1),
    outlineVariant = Color(0xFF5E656C),
    surfaceContainer = Color(0xFF1C2126),
    surfaceContainerHigh = Color(0xFF14181C),
    surfaceContainerHighest = Color(0xFF2A3036),
)

private val Type = Typography().run {
    copy(
        displaySmall = displaySmall.copy(fontSize = 34.sp, fontWeight = FontWeight.Bold, lineHeight = 42.sp),
        headlineSmall = headlineSmall.copy(fontSize = 24.sp, fontWeight = FontWeight.Bold, lineHeight = 31.sp),
        titleLarge = titleLarge.copy(fontSize = 22.sp, fontWeight = FontWeight.Bold, lineHeight = 29.sp),
        titleMedium = titleMedium.copy(fontSize = 18.sp, fontWeight = FontWeight.Bold, lineHeight = 25.sp),
        bodyLarge = bodyLarge.copy(fontSize = 18.sp, lineHeight = 25.sp),
        bodyMedium = bodyMedium.copy(fontSize = 16.sp, lineHeight = 23.sp),
        bodySmall = bodySmall.copy(fontSize = 16.sp, lineHeight = 23.sp),
        labelLarge = labelLarge.copy(fontSize = 18.sp, fontWeight = FontWeight.Bold, lineHeight = 25.sp),
        labelSmall = labelSmall.copy(fontSize = 14.sp, fontWeight = FontWeight.Bold, lineHeight = 19.sp, letterSpacing = 0.sp),
        labelMedium = labelMedium.copy(fontSize = 16.sp, fontWeight = FontWeight.Bold, lineHeight = 22.sp),
    )
}

/** Everything that is shown stands in this. */
@Composable
fun CarboyTheme(content: @Composable () -> Unit) =
    MaterialTheme(colorScheme = if (isSystemInDarkTheme()) Dark else Light, typography = Type, content = content)
