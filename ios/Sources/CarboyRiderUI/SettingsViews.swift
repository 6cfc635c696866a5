// Who is signed in, signing out, and a file for support.

#if canImport(SwiftUI) && canImport(UIKit)
import CarboyRider
import SwiftUI

/// The settings.
struct SettingsView: View {
    let settings: SettingsModel

    private var texts: Texts { settings.texts }

    var body: some View {
        List {
            Section {
                LabeledContent(texts(.rider), value: settings.name)
                LabeledContent(texts(.plant), value: settings.plant)
                LabeledContent(texts(.server), value: settings.server)
            }
            Section(texts(.support)) {
                Text(texts(.supportText))
                PlainButton(texts(.writeFile)) { await settings.writeSupportFile() }
                if let file = settings.file {
                    ShareLink(item: file) {
                        Label(texts(.shareFile), systemImage: Symbol.share.rawValue).frame(minHeight: thumb)
                    }
                }
            }
            OutcomeView(screen: settings)
            Section { BigButton(texts, .signOut) { await settings.signOut() }.disabled(settings.isWorking) }
            if let unsent = settings.unsent { choices(unsent) }
        }
        .navigationTitle(texts(.settingsTitle))
    }

    private func choices(_ unsent: String) -> some View {
        Section(texts(.signOutAsk)) {
            Label(unsent, systemImage: Mark.attention.symbol)
            ForEach(SettingsModel.Choice.allCases) { choice in
                PlainButton(settings.label(choice)) { await settings.signOut(choice) }
            }
            PlainButton(texts(.cancel)) { settings.stay() }
        }
    }
}
#endif
