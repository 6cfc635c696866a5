// The day: the shift, bottles, cash, and what was recorded.

#if canImport(SwiftUI) && canImport(UIKit)
import Carboy
import CarboyRider
import SwiftUI

/// The day's summary and what closes it.
struct DayView: View {
    let rider: RiderModel
    @State private var asksToFinish = false

    private var texts: Texts { rider.texts }

    var body: some View {
        @Bindable var day = rider.day
        List {
            OutcomeView(screen: day)
            Section {
                Text(day.shift).font(.title3.weight(.semibold))
                if day.isOpen {
                    BigButton(texts, .finishShift) { asksToFinish = true }
                } else {
                    Picker(texts(.routeChoose), selection: $day.route) {
                        ForEach(day.routes, id: \.route) { Text($0.name).tag(Optional($0.route)) }
                    }
                    BigButton(texts, .startShift) { await day.start() }
                }
            }
            Section {
                ForEach(day.figures) { figure in
                    LabeledContent(figure.name, value: figure.value).accessibilityElement(children: .combine)
                }
            }
            stock(day)
            Section(texts(.handInCash)) {
                AmountField(texts: texts, amount: $day.cash)
                if let all = day.allOfIt { Button(all, action: day.takeAll).frame(minHeight: thumb) }
                TextField(texts(.handInNote), text: $day.note).frame(minHeight: thumb)
                BigButton(texts, .handInCash) { await day.handIn() }
            }
            NavigationLink(texts(.records), value: Place.records).frame(minHeight: thumb)
        }
        .navigationTitle(texts(.dayTitle))
        .confirmationDialog(texts(.finishAsk), isPresented: $asksToFinish, titleVisibility: .visible) {
            Button(texts(.finishShift)) { Task { await day.finish() } }
            Button(texts(.cancel), role: .cancel) {}
        } message: {
            if let warning = day.warning { Text(warning) }
        }
        .task { await day.run() }
    }

    private func stock(_ day: DayModel) -> some View {
        Section(texts(.stock)) {
            ForEach(day.stock) { stock in
                VStack(alignment: .leading) {
                    Text(stock.name).font(.headline)
                    Text(stock.onBoard)
                    Text(stock.ofTheDay).font(.subheadline)
                }
                .accessibilityElement(children: .combine)
            }
            BottlesView(texts: texts, bottles: day.bottles, full: .fullBottles, empty: .emptyOnly)
            BigButton(texts, .loadStock) { await day.load() }
            PlainButton(texts(.returnStock)) { await day.giveBack() }
        }
    }
}

/// Records as a list, each to be taken back for as long as it can be.
struct RecordsView: View {
    let records: RecordsModel
    @State private var takesBack: RecordsModel.Row?
    @State private var asks = false

    private var texts: Texts { records.texts }

    var body: some View {
        Section {
            OutcomeView(screen: records)
            ForEach(records.rows) { row in
                VStack {
                    LineView(
                        title: row.title, detail: row.detail, amount: row.amount, mark: row.mark, texts: texts,
                        label: row.label)
                    if row.canTakeBack { PlainButton(texts(.takeBack)) { (takesBack, asks) = (row, true) } }
                }
            }
            if records.hasMore { MoreButton(texts: texts, more: records.more) }
        }
        .confirmationDialog(
            texts(.takeBackAsk), isPresented: $asks, titleVisibility: .visible, presenting: takesBack
        ) { row in
            Button(texts(.takeBack), role: .destructive) { Task { await records.takeBack(row.id) } }
            Button(texts(.cancel), role: .cancel) {}
        } message: { row in
            Text(row.title)
        }
        .task(id: records.limit) { await records.run() }
    }
}

/// What waits to be sent, since when and why.
struct WaitingView: View {
    let rider: RiderModel

    var body: some View {
        let status = rider.status
        List {
            Section {
                Text(status.waiting).font(.title3.weight(.semibold))
                if let photos = status.photos { Text(photos) }
                if let since = status.since { Text(since) }
                Text(status.exchange).font(.headline)
                Text(status.contact).font(.subheadline)
                Text(rider.texts(.waitingSafe))
                OutcomeView(screen: status)
                BigButton(rider.texts, .sendNow) { await status.send() }.disabled(status.isWorking)
            }
            RecordsView(records: rider.waiting)
        }
        .navigationTitle(rider.texts(.waitingTitle))
    }
}
#endif
