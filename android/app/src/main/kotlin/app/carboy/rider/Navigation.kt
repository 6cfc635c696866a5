package app.carboy.rider

import android.Manifest.permission.POST_NOTIFICATIONS
import android.content.pm.PackageManager.PERMISSION_GRANTED
import android.os.Build
import androidx.activity.compose.rememberLauncherForActivityResult
import androidx.activity.result.contract.ActivityResultContracts.RequestPermission
import androidx.annotation.DrawableRes
import androidx.annotation.StringRes
import androidx.compose.foundation.layout.Arrangement
import androidx.compose.foundation.layout.Box
import androidx.compose.foundation.layout.BoxWithConstraints
import androidx.compose.foundation.layout.Column
import androidx.compose.foundation.layout.Row
import androidx.compose.foundation.layout.fillMaxHeight
import androidx.compose.foundation.layout.fillMaxSize
import androidx.compose.foundation.layout.heightIn
import androidx.compose.foundation.layout.padding
import androidx.compose.foundation.layout.size
import androidx.compose.foundation.layout.widthIn
import androidx.compose.foundation.rememberScrollState
import androidx.compose.foundation.selection.selectable
import androidx.compose.foundation.verticalScroll
import androidx.compose.material3.Icon
import androidx.compose.material3.MaterialTheme
import androidx.compose.material3.Surface
import androidx.compose.material3.Text
import androidx.compose.runtime.Composable
import androidx.compose.runtime.LaunchedEffect
import androidx.compose.runtime.getValue
import androidx.compose.runtime.mutableStateOf
import androidx.compose.runtime.saveable.rememberSaveable
import androidx.compose.runtime.setValue
import androidx.compose.ui.Alignment
import androidx.compose.ui.Modifier
import androidx.compose.ui.platform.LocalContext
import androidx.compose.ui.platform.LocalDensity
import androidx.compose.ui.res.painterResource
import androidx.compose.ui.res.stringResource
import androidx.compose.ui.semantics.Role
import androidx.compose.ui.semantics.contentDescription
import androidx.compose.ui.semantics.semantics
import androidx.compose.ui.text.style.TextAlign
import androidx.compose.ui.unit.dp
import androidx.core.content.ContextCompat.checkSelfPermission
import androidx.navigation.NavController
import androidx.navigation.NavGraph.Companion.findStartDestination
import androidx.navigation.NavGraphBuilder
import androidx.navigation.NavHostController
import androidx.navigation.compose.NavHost
import androidx.navigation.compose.composable
import androidx.navigation.compose.currentBackStackEntryAsState
import androidx.navigation.compose.rememberNavController
import app.carboy.CustomerId
import app.carboy.rider.ScreenModel.Companion.CUSTOMER
import app.carboy.rider.attention.AttentionModel
import app.carboy.rider.attention.AttentionScreen
import app.carboy.rider.attention.CorrectModel
import app.carboy.rider.attention.CorrectModel.Companion.RECORD
import app.carboy.rider.attention.CorrectScreen
import app.carboy.rider.cash.CashModel
import app.carboy.rider.cash.CashScreen
import app.carboy.rider.customer.CustomerExits
import app.carboy.rider.customer.CustomerModel
import app.carboy.rider.customer.CustomerScreen
import app.carboy.rider.customer.CustomersModel
import app.carboy.rider.customer.CustomersScreen
import app.carboy.rider.customer.EditModel
import app.carboy.rider.customer.EditScreen
import app.carboy.rider.day.DayExits
import app.carboy.rider.day.DayModel
import app.carboy.rider.day.DayScreen
import app.carboy.rider.day.RecordsModel
import app.carboy.rider.day.RecordsScreen
import app.carboy.rider.day.StockModel
import app.carboy.rider.day.StockScreen
import app.carboy.rider.enrol.EnrolModel
import app.carboy.rider.enrol.EnrolScreen
import app.carboy.rider.route.RouteModel
import app.carboy.rider.route.RouteScreen
import app.carboy.rider.settings.LanguageScreen
import app.carboy.rider.settings.MoreExits
import app.carboy.rider.settings.MoreModel
import app.carboy.rider.settings.MoreScreen
import app.carboy.rider.settings.SignOutModel
import app.carboy.rider.settings.SignOutScreen
import app.carboy.rider.stop.FailModel
import app.carboy.rider.stop.FailScreen
import app.carboy.rider.stop.Photos
import app.carboy.rider.stop.StopExits
import app.carboy.rider.stop.StopModel
import app.carboy.rider.stop.StopScreen
import app.carboy.rider.ui.isLow
import app.carboy.rider.waiting.SyncStrip
import app.carboy.rider.waiting.WaitingModel
import app.carboy.rider.waiting.WaitingScreen

/** The routes of the screens; `{…}` is an argument. */
object Screens {
    const val ROUTE = "route"
    const val CUSTOMERS = "customers"
    const val DAY = "day"
    const val MORE = "more"
    const val STOP = "stop/{$CUSTOMER}"
    const val FAIL = "fail/{$CUSTOMER}"
    const val CUSTOMER_SCREEN = "customer/{$CUSTOMER}"
    const val EDIT = "edit/{$CUSTOMER}"
    const val ADD = "add"
    const val CASH = "cash/{$CUSTOMER}"
    const val HAND_IN = "hand-in"
    const val LOAD = "load"
    const val RETURN = "return"
    const val RECORDS = "records"
    const val WAITING = "waiting"
    const val ATTENTION = "attention"
    const val CORRECT = "correct/{$RECORD}"
    const val LANGUAGE = "language"
    const val SIGN_OUT = "sign-out"
    const val ENROL = "enrol"

    /** The route to a customer's [screen]. */
    fun of(screen: String, customer: CustomerId) = screen.replace("{$CUSTOMER}", customer.text)

    /** The route to the correction of a record. */
    fun correct(record: ULong) = CORRECT.replace("{$RECORD}", "$record")
}

/** The four screens that are always one tap away. */
private enum class Tab(val screen: String, @DrawableRes val icon: Int, @StringRes val text: Int) {
    Route(Screens.ROUTE, R.drawable.ic_route, R.string.tab_route),
    Customers(Screens.CUSTOMERS, R.drawable.ic_customers, R.string.tab_customers),
    Day(Screens.DAY, R.drawable.ic_day, R.string.tab_day),
    More(Screens.MORE, R.drawable.ic_more, R.string.tab_more),
}

/** Text above this size leaves no room for the tabs' names; TalkBack still reads them. */
private const val LARGE_TEXT = 1.1f

/** All screens of a signed-in rider. */
@Composable
fun SignedInUi(phone: Phone) {
    val navigation = rememberNavController()
    val entry by navigation.currentBackStackEntryAsState()
    val tab = Tab.entries.find { it.screen == entry?.destination?.route }
    AskForNotices()
    BoxWithConstraints(Modifier.fillMaxSize()) {
        val low = isLow(maxHeight)
        Row {
            if (tab != null && low) Rail(tab, navigation)
            Column(Modifier.weight(1f)) {
                Box(Modifier.weight(1f)) { Graph(navigation, phone) }
                if (tab != null) SyncStrip(phone, { navigation.navigate(Screens.WAITING) }, { navigation.navigate(Screens.ATTENTION) })
                if (tab != null && !low) Bar(tab, navigation)
            }
        }
    }
}

/** The background jobs say by a notice when the rider has to sign in again; from Android 13 on he has to allow them. */
@Composable
private fun AskForNotices() {
    if (Build.VERSION.SDK_INT < Build.VERSION_CODES.TIRAMISU) return
    val context = LocalContext.current
    var isAsked by rememberSaveable { mutableStateOf(false) }
    // Whatever he says: recording and sending need none.
    val ask = rememberLauncherForActivityResult(RequestPermission()) {}
    LaunchedEffect(Unit) {
        if (isAsked || checkSelfPermission(context, POST_NOTIFICATIONS) == PERMISSION_GRANTED) return@LaunchedEffect
        isAsked = true
        ask.launch(POST_NOTIFICATIONS)
    }
}

@Composable
private fun Bar(now: Tab, navigation: NavHostController) = Surface(color = MaterialTheme.colorScheme.surfaceContainer) {
    Row {
        for (tab in Tab.entries) {
            TabButton(tab, tab == now, LocalDensity.current.fontScale <= LARGE_TEXT, Modifier.weight(1f)) { navigation.toTab(tab) }
        }
    }
}

@Composable
private fun Rail(now: Tab, navigation: NavHostController) = Surface(color = MaterialTheme.colorScheme.surfaceContainer) {
    Column(Modifier.fillMaxHeight().verticalScroll(rememberScrollState()), Arrangement.SpaceEvenly) {
        for (tab in Tab.entries) TabButton(tab, tab == now, false, Modifier.widthIn(min = 64.dp)) { navigation.toTab(tab) }
    }
}

@Composable
private fun TabButton(tab: Tab, isNow: Boolean, hasName: Boolean, modifier: Modifier, onClick: () -> Unit) {
    val colours = MaterialTheme.colorScheme
    val name = stringResource(tab.text)
    Surface(
        modifier,
        color = if (isNow) colours.primary else colours.surfaceContainer,
        contentColor = if (isNow) colours.onPrimary else colours.onSurface,
    ) {
        Column(
            Modifier.selectable(isNow, role = Role.Tab, onClick = onClick).heightIn(min = 64.dp).padding(vertical = 4.dp)
                .semantics { if (!hasName) contentDescription = name },
            Arrangement.Center,
            Alignment.CenterHorizontally,
        ) {
            Icon(painterResource(tab.icon), null, Modifier.size(28.dp))
            if (hasName) Text(name, style = MaterialTheme.typography.labelSmall, textAlign = TextAlign.Center)
        }
    }
}

private fun NavController.toTab(tab: Tab) = navigate(tab.screen) {
    popUpTo(graph.findStartDestination().id) { saveState = true }
    launchSingleTop = true
    restoreState = true
}

@Composable
private fun Graph(navigation: NavHostController, phone: Phone) = NavHost(navigation, Screens.ROUTE) {
    val back: () -> Unit = { navigation.popBackStack() }
    tabs(navigation, phone)
    stops(navigation, phone, back)
    customers(navigation, phone, back)
    day(phone, back)
    needs(navigation, phone, back)
    composable(Screens.LANGUAGE) { LanguageScreen(back) }
    composable(Screens.SIGN_OUT) { SignOutScreen(screenModel { SignOutModel(phone, it) }, back) }
    composable(Screens.ENROL) { EnrolScreen(screenModel { EnrolModel(phone.shell, it) }, back, back) }
}

private fun NavGraphBuilder.tabs(navigation: NavController, phone: Phone) {
    composable(Screens.ROUTE) {
        val toStop = { customer: CustomerId -> navigation.navigate(Screens.of(Screens.STOP, customer)) }
        RouteScreen(screenModel { RouteModel(phone, it) }, toStop) { navigation.navigate(Screens.ADD) }
    }
    composable(Screens.CUSTOMERS) {
        val model = screenModel { CustomersModel(phone, it) }
        CustomersScreen(model, stringResource(R.string.tab_customers), null, { navigation.navigate(Screens.ADD) }) {
            navigation.navigate(Screens.of(Screens.CUSTOMER_SCREEN, it))
        }
    }
    composable(Screens.DAY) {
        val exits = DayExits(
            load = { navigation.navigate(Screens.LOAD) },
            giveBack = { navigation.navigate(Screens.RETURN) },
            handIn = { navigation.navigate(Screens.HAND_IN) },
            records = { navigation.navigate(Screens.RECORDS) },
        )
        DayScreen(screenModel { DayModel(phone, it) }, exits)
    }
    composable(Screens.MORE) {
        val exits = MoreExits(
            waiting = { navigation.navigate(Screens.WAITING) },
            attention = { navigation.navigate(Screens.ATTENTION) },
            records = { navigation.navigate(Screens.RECORDS) },
            language = { navigation.navigate(Screens.LANGUAGE) },
            signIn = { navigation.navigate(Screens.ENROL) },
            signOut = { navigation.navigate(Screens.SIGN_OUT) },
        )
        MoreScreen(screenModel { MoreModel(phone, it) }, exits)
    }
}

private fun NavGraphBuilder.stops(navigation: NavController, phone: Phone, back: () -> Unit) {
    composable(Screens.STOP) {
        val exits = StopExits(
            back = back,
            fail = { navigation.navigate(Screens.of(Screens.FAIL, it)) },
            customer = { navigation.navigate(Screens.of(Screens.CUSTOMER_SCREEN, it)) },
            next = { navigation.navigate(Screens.of(Screens.STOP, it)) { popUpTo(Screens.STOP) { inclusive = true } } },
        )
        val context = LocalContext.current.applicationContext
        StopScreen(screenModel { StopModel(phone, it, Photos(context)) }, exits)
    }
    composable(Screens.FAIL) {
        FailScreen(screenModel { FailModel(phone, it) }, back) { navigation.popBackStack(Screens.STOP, inclusive = true) }
    }
}

private fun NavGraphBuilder.customers(navigation: NavController, phone: Phone, back: () -> Unit) {
    composable(Screens.CUSTOMER_SCREEN) {
        val exits = CustomerExits(
            back = back,
            deliver = { navigation.navigate(Screens.of(Screens.STOP, it)) },
            cash = { navigation.navigate(Screens.of(Screens.CASH, it)) },
            edit = { navigation.navigate(Screens.of(Screens.EDIT, it)) },
            attention = { navigation.navigate(Screens.ATTENTION) },
        )
        CustomerScreen(screenModel { CustomerModel(phone, it) }, exits)
    }
    composable(Screens.EDIT) { EditScreen(screenModel { EditModel(phone, it) }, back) }
    composable(Screens.ADD) { EditScreen(screenModel { EditModel(phone, it) }, back) }
    composable(Screens.CASH) { CashScreen(screenModel { CashModel(phone, it) }, back) }
}

private fun NavGraphBuilder.day(phone: Phone, back: () -> Unit) {
    composable(Screens.HAND_IN) { CashScreen(screenModel { CashModel(phone, it) }, back) }
    composable(Screens.LOAD) { StockScreen(screenModel { StockModel(phone, it, isLoading = true) }, back) }
    composable(Screens.RETURN) { StockScreen(screenModel { StockModel(phone, it, isLoading = false) }, back) }
    composable(Screens.RECORDS) { RecordsScreen(screenModel { RecordsModel(phone, it) }, back) }
}

private fun NavGraphBuilder.needs(navigation: NavController, phone: Phone, back: () -> Unit) {
    composable(Screens.WAITING) {
        WaitingScreen(screenModel { WaitingModel(phone, it) }, back) { navigation.navigate(Screens.ENROL) }
    }
    composable(Screens.ATTENTION) {
        AttentionScreen(screenModel { AttentionModel(phone, it) }, back) { navigation.navigate(Screens.correct(it)) }
    }
    composable(Screens.CORRECT) {
        CorrectScreen(screenModel { CorrectModel(phone, it) }, screenModel { CustomersModel(phone, it) }, back)
    }
}
