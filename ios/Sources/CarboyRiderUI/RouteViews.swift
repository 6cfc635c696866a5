// Today's route and what is done at a stop.

#if canImport(SwiftUI) && canImport(UIKit)
import Carboy
import CarboyRider
import SwiftUI

/// The stops of the day in order, the next one at hand.
struct RouteView: View {
    let rider: RiderModel

    var body: some View {
        @Bindable var route = rider.route
        List {
            if route.routes.count > 1 {
                Picker(rider.texts(.routeChoose), selection: $route.chosen) {
                    ForEach(route.routes, id: \.route) { Text($0.name).tag(Optional($0.route)) }
                }
            }
            OutcomeView(screen: route)
            if route.routes.isEmpty { Text(rider.texts(.routeNone)) }
            if let progress = route.progress, let left = route.left {
                Section {
                    Text(progress).font(.headline)
                    Text(left).font(.subheadline)
                }
            }
            if let next = route.next {
                Section(rider.texts(.routeNext)) { row(next).font(.title3) }
            }
            Section {
                ForEach(route.stops) { row($0) }
            }
        }
        .navigationTitle(rider.texts(.routeTitle))
        .toolbar {
            NavigationLink(value: Place.customers) {
                Label(rider.texts(.customers), systemImage: Symbol.search.rawValue)
            }
        }
        .task(id: route.chosen) { await route.run() }
    }

    private func row(_ stop: StopRow) -> some View {
        NavigationLink(value: Place.stop(stop.id)) {
            LineView(
                title: stop.name, detail: rider.texts.joined([stop.address, stop.state]), amount: stop.balance,
                mark: stop.mark, texts: rider.texts, label: stop.label)
        }
    }
}

/// A stop: bottles, cash, or why it was in vain.
struct StopView: View {
    let rider: RiderModel
    @State var stop: StopModel
    @State private var takesPhoto = false
    let customer: CustomerId

    init(_ rider: RiderModel, _ customer: CustomerId) {
        self.rider = rider
        self.customer = customer
        _stop = State(initialValue: rider.stop(customer))
    }

    private var texts: Texts { rider.texts }

    var body: some View {
        List {
            head
            delivery
            cash
            failure
        }
        .navigationTitle(stop.name)
        .toolbar {
            NavigationLink(value: Place.customer(customer)) {
                Label(texts(.customers), systemImage: Symbol.customer.rawValue)
            }
        }
        .safeAreaInset(edge: .bottom) {
            OutcomeView(screen: stop).frame(maxWidth: .infinity).padding().background(.bar)
        }
        .sheet(isPresented: $takesPhoto) { PhotoView { stop.addPhoto($0) } }
        .task { await stop.run() }
    }

    private var head: some View {
        Section {
            HStack {
                Text(stop.balance).font(.title3.weight(.semibold)).frame(maxWidth: .infinity, alignment: .leading)
                if let mark = stop.mark { MarkView(mark: mark, texts: texts) }
            }
            PlainButton(texts(.goThere)) { await stop.note(.onTheWay) }
            PlainButton(texts(.arrived)) { await stop.note(.arrived) }
        }
    }

    private var delivery: some View {
        Section(texts(.delivery)) {
            BottlesView(texts: texts, bottles: stop.bottles, full: .fullBottles, empty: .emptyBottles)
            Text(stop.price).font(.headline)
            TextField(texts(.proof), text: $stop.proof).frame(minHeight: thumb)
            if stop.canAddPhoto {
                Button {
                    takesPhoto = true
                } label: {
                    Label(texts(.addPhoto), systemImage: Symbol.camera.rawValue).frame(minHeight: thumb)
                }
            }
            if let photos = stop.photoCount {
                Text(photos)
                Button(texts(.removePhotos), action: stop.removePhotos).frame(minHeight: thumb)
            }
            BigButton(texts, .confirmDelivery) { await stop.confirm() }.disabled(!stop.canConfirm)
        }
    }

    private var cash: some View {
        Section(texts(.cash)) {
            AmountField(texts: texts, amount: $stop.cash)
            if let all = stop.allOfIt { Button(all, action: stop.takeAll).frame(minHeight: thumb) }
            BigButton(texts, .collectCash) { await stop.collect() }
        }
    }

    private var failure: some View {
        Section(texts(.couldNotDeliver)) {
            Picker(texts(.couldNotDeliver), selection: $stop.reason) {
                ForEach(stop.reasons, id: \.self) { Text(texts.reason($0)).tag($0) }
            }
            TextField(texts(.note), text: $stop.note).frame(minHeight: thumb)
            BigButton(texts, .couldNotDeliver) { await stop.fail() }
            PlainButton(texts(.skip)) { await stop.note(.skipped) }
        }
    }
}
#endif
