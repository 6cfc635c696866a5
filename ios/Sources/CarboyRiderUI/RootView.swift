// The app as a whole: setting up, and the tabs of a rider.

#if canImport(SwiftUI) && canImport(UIKit)
import Carboy
import CarboyRider
import SwiftUI

/// What the app shows.
public struct RootView: View {
    private let app: AppModel

    public init(_ app: AppModel) { self.app = app }

    public var body: some View {
        stage
            .environment(\.layoutDirection, app.texts.language.isRightToLeft ? .rightToLeft : .leftToRight)
            .environment(\.locale, app.texts.locale)
            .onOpenURL { app.open($0) }
            .task { await app.run() }
    }

    @ViewBuilder private var stage: some View {
        switch app.stage {
        case .loading: ProgressView(app.texts(.loading))
        case .enrol(let enrol): EnrolView(enrol: enrol)
        case .rider(let rider): RiderView(rider: rider).id(ObjectIdentifier(rider))
        case .broken(let problem): BrokenView(app: app, problem: problem)
        }
    }
}

/// Where a rider may go from a list.
enum Place: Hashable {
    case stop(CustomerId)
    case customer(CustomerId)
    case customers
    case records
}

/// The tabs of a signed-in rider.
struct RiderView: View {
    let rider: RiderModel

    private var texts: Texts { rider.texts }

    var body: some View {
        TabView {
            tab(.tabRoute, .route) { RouteView(rider: rider) }
            tab(.tabDay, .day) { DayView(rider: rider) }
            tab(.tabWaiting, .waiting) { WaitingView(rider: rider) }.badge(rider.status.pending)
            tab(.tabAttention, .attention) { AttentionView(rider: rider) }.badge(rider.status.attention)
            tab(.tabSettings, .settings) { SettingsView(settings: rider.settings) }
        }
    }

    private func tab(_ title: Phrase, _ symbol: Symbol, @ViewBuilder content: () -> some View) -> some View {
        NavigationStack {
            content()
                .navigationDestination(for: Place.self) { place($0) }
                .safeAreaInset(edge: .top) { StatusBar(status: rider.status) }
        }
        .tabItem { Label(texts(title), systemImage: symbol.rawValue) }
        .accessibilityIdentifier(title.rawValue)
    }

    @ViewBuilder
    private func place(_ place: Place) -> some View {
        switch place {
        case .stop(let customer): StopView(rider, customer)
        case .customer(let customer): CustomerView(customer: rider.customer(customer))
        case .customers: CustomersView(rider: rider)
        case .records: List { RecordsView(records: rider.records) }.navigationTitle(texts(.records))
        }
    }
}

/// Setting the phone up.
struct EnrolView: View {
    @Bindable var enrol: EnrolModel
    @State private var scans = false

    private var texts: Texts { enrol.texts }

    var body: some View {
        Form {
            Section(texts(.enrolTitle)) {
                Text(texts(.enrolLead))
                Button {
                    scans = true
                } label: {
                    Label(texts(.enrolScan), systemImage: Symbol.scan.rawValue)
                        .font(.title3.weight(.semibold)).frame(maxWidth: .infinity, minHeight: thumb)
                }
                .buttonStyle(.bordered)
            }
            Section {
                TextField(texts(.enrolServer), text: $enrol.server).frame(minHeight: thumb).plainTyping()
                    .accessibilityIdentifier(Phrase.enrolServer.rawValue)
                TextField(texts(.enrolCode), text: $enrol.code).frame(minHeight: thumb).plainTyping()
                    .accessibilityIdentifier(Phrase.enrolCode.rawValue)
            }
            if let problem = enrol.problem { ProblemView(problem: problem) }
            BigButton(texts, .enrolStart, title: enrol.button) { await enrol.start() }.disabled(!enrol.canStart)
        }
        .sheet(isPresented: $scans) {
            ScanView { text in
                scans = false
                if let text { enrol.take(text) } else { enrol.cameraFailed() }
            }
        }
    }
}

/// A store that could not be opened.
struct BrokenView: View {
    let app: AppModel
    let problem: String

    var body: some View {
        Form {
            Section(app.texts(.brokenTitle)) {
                ProblemView(problem: problem)
                Text(app.texts(.brokenText))
            }
            BigButton(app.texts, .tryAgain) { app.retry() }
            PlainButton(app.texts(.setUpAgain)) { app.enrolAgain() }
        }
    }
}

extension View {
    /// A keyboard that changes nothing of what is typed.
    fileprivate func plainTyping() -> some View { textInputAutocapitalization(.never).autocorrectionDisabled() }
}
#endif
