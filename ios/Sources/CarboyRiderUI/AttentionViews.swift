// What needs the rider, and correcting a record.

#if canImport(SwiftUI) && canImport(UIKit)
import Carboy
import CarboyRider
import SwiftUI

/// The attention list.
struct AttentionView: View {
    let rider: RiderModel

    private var texts: Texts { rider.texts }

    var body: some View {
        @Bindable var attention = rider.attention
        List {
            OutcomeView(screen: attention)
            if attention.items.isEmpty { Label(texts(.attentionNone), systemImage: Mark.settled.symbol) }
            ForEach(attention.items) { item in
                Section {
                    told(item)
                    ForEach(item.actions, id: \.self) { action in
                        PlainButton(attention.label(action)) { await attention.act(action, on: item) }
                    }
                }
            }
            if attention.hasMore { MoreButton(texts: texts, more: attention.more) }
        }
        .navigationTitle(texts(.attentionTitle))
        .sheet(item: $attention.correction) { CorrectionView(correction: $0) }
        .task(id: attention.limit) { await attention.run() }
    }

    private func told(_ item: AttentionModel.Item) -> some View {
        VStack(alignment: .leading) {
            Label(item.title, systemImage: Mark.attention.symbol).font(.headline)
            ForEach(item.lines, id: \.self) { Text($0) }
        }
        .accessibilityElement(children: .ignore)
        .accessibilityLabel(item.label)
    }
}

/// A record that was not accepted, to be corrected.
struct CorrectionView: View {
    @Bindable var correction: CorrectionModel
    @Environment(\.dismiss) private var dismiss

    private var texts: Texts { correction.texts }

    var body: some View {
        Form {
            Section(correction.title) {
                Text(correction.reason)
                form
            }
            OutcomeView(screen: correction)
            BigButton(texts, .correct) {
                await correction.send()
                if correction.isDone { dismiss() }
            }
            PlainButton(texts(.cancel)) { dismiss() }
        }
        .task { await correction.load() }
    }

    @ViewBuilder private var form: some View {
        switch correction.form {
        case .amount:
            AmountField(texts: texts, amount: $correction.cash)
        case .bottles:
            BottlesView(texts: texts, bottles: correction.bottles, full: .fullBottles, empty: .emptyOnly)
        case .fields:
            FieldsView(texts: texts, fields: $correction.fields)
        case .failure:
            Picker(texts(.couldNotDeliver), selection: $correction.failure) {
                ForEach(FailReason.allCases, id: \.self) { Text(texts.reason($0)).tag($0) }
            }
            TextField(texts(.note), text: $correction.note).frame(minHeight: thumb)
        case .route:
            Picker(texts(.routeChoose), selection: $correction.route) {
                ForEach(correction.routes, id: \.route) { Text($0.name).tag(Optional($0.route)) }
            }
        case .customer:
            CustomerChoice(texts: texts, customers: correction.customers, chosen: $correction.customer)
        case nil:
            EmptyView()
        }
    }
}

/// One customer out of all.
struct CustomerChoice: View {
    let texts: Texts
    @Bindable var customers: CustomersModel
    @Binding var chosen: CustomerId?

    var body: some View {
        TextField(texts(.search), text: $customers.search).frame(minHeight: thumb)
        Picker(texts(.customers), selection: $chosen) {
            ForEach(customers.customers) { Text($0.name).tag(Optional($0.id)) }
        }
        .task(id: customers.search) { await customers.run() }
    }
}
#endif
