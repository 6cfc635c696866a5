// Customers: looking for one, one's screen, and a new one.

#if canImport(SwiftUI) && canImport(UIKit)
import Carboy
import CarboyRider
import SwiftUI

/// All customers by name.
struct CustomersView: View {
    let rider: RiderModel
    @State private var isAdding = false

    /// What the list depends on: it is asked for anew when one of them changes.
    private struct Asked: Equatable {
        let search: String
        let limit: UInt32
    }

    var body: some View {
        @Bindable var customers = rider.customers
        List {
            OutcomeView(screen: customers)
            ForEach(customers.customers) { customer in
                NavigationLink(value: Place.stop(customer.id)) {
                    LineView(
                        title: customer.name, detail: customer.address, amount: customer.balance, mark: nil,
                        texts: rider.texts, label: customer.label)
                }
            }
            if customers.isEmpty { Text(rider.texts(.nobodyFound)) }
            if customers.hasMore { MoreButton(texts: rider.texts, more: customers.more) }
        }
        .searchable(text: $customers.search, prompt: rider.texts(.search))
        .navigationTitle(rider.texts(.customers))
        .toolbar {
            Button {
                isAdding = true
            } label: {
                Label(rider.texts(.newCustomer), systemImage: Symbol.add.rawValue)
            }
        }
        .sheet(isPresented: $isAdding) { NewCustomerView(customer: rider.newCustomer()) }
        .task(id: Asked(search: customers.search, limit: customers.limit)) { await customers.run() }
    }
}

/// A profile as fields to type.
struct FieldsView: View {
    let texts: Texts
    @Binding var fields: [Field: String]

    var body: some View {
        ForEach(Field.allCases, id: \.self) { field in
            TextField(texts.field(field), text: $fields[typed: field]).frame(minHeight: thumb)
        }
    }
}

/// A customer whom the rider met on the way.
struct NewCustomerView: View {
    @State var customer: NewCustomerModel
    @Environment(\.dismiss) private var dismiss

    var body: some View {
        Form {
            Section(customer.texts(.newCustomer)) { FieldsView(texts: customer.texts, fields: $customer.fields) }
            OutcomeView(screen: customer)
            BigButton(customer.texts, .save) {
                await customer.add()
                if customer.added != nil { dismiss() }
            }
            PlainButton(customer.texts(.cancel)) { dismiss() }
        }
    }
}

/// A customer's screen.
struct CustomerView: View {
    @State var customer: CustomerModel

    private var texts: Texts { customer.texts }

    var body: some View {
        List {
            Section {
                Text(customer.balance).font(.title3.weight(.semibold))
                if let unsettled = customer.unsettled { Label(unsettled, systemImage: Mark.saved.symbol) }
                if customer.customer?.closed == true { ProblemView(problem: texts(.customerClosed)) }
                OutcomeView(screen: customer)
            }
            if customer.isEditing { editing } else { profile }
            history
        }
        .navigationTitle(customer.name)
        .task(id: customer.limit) { await customer.run() }
    }

    private var profile: some View {
        Section {
            ForEach(customer.profile, id: \.field) { line in
                VStack(alignment: .leading) {
                    Text(line.label).font(.subheadline)
                    Text(line.value).font(.body.weight(.semibold))
                    ForEach(customer.alsoWritten(line.field), id: \.self) { also in
                        Label(also, systemImage: Mark.attention.symbol)
                    }
                }
                .accessibilityElement(children: .combine)
            }
            if let dial = customer.dial {
                Link(destination: dial) {
                    Label(texts(.call), systemImage: Symbol.call.rawValue).frame(minHeight: thumb)
                }
            }
            BigButton(texts, .edit) { customer.edit() }
        }
    }

    private var editing: some View {
        Section {
            FieldsView(texts: texts, fields: $customer.fields)
            BigButton(texts, .save) { await customer.save() }
            PlainButton(texts(.cancel)) { customer.cancelEdit() }
        }
    }

    private var history: some View {
        Section(texts(.history)) {
            if customer.history.isEmpty { Text(texts(.noHistory)) }
            ForEach(customer.history) { line in
                LineView(
                    title: line.title, detail: line.detail, amount: line.amount, mark: line.mark, texts: texts,
                    label: line.label)
            }
            if customer.hasMore { MoreButton(texts: texts, more: customer.more) }
        }
    }
}
#endif
