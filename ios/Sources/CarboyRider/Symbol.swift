// The system's signs that the screens use. They stand here because the views have no text of their own.

/// A sign of the system's (an SF Symbol), by its name.
public enum Symbol: String, Sendable {
    case plus
    case minus
    case route = "map"
    case day = "calendar"
    case waiting = "tray.and.arrow.up"
    case attention = "exclamationmark.triangle"
    case settings = "gearshape"
    case search = "magnifyingglass"
    case add = "person.badge.plus"
    case customer = "person.text.rectangle"
    case call = "phone"
    case camera
    case scan = "qrcode.viewfinder"
    case share = "square.and.arrow.up"
}
