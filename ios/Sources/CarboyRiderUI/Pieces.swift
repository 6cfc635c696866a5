// The pieces that every screen is made of: big enough for a thumb, told in words too, and never by colour alone.

#if canImport(SwiftUI) && canImport(UIKit)
import CarboyRider
import SwiftUI

/// The least that a thumb hits while its owner carries a bottle.
let thumb: CGFloat = 56

/// One tick for saved, two for sent, another sign for attention.
struct MarkView: View {
    let mark: Mark
    let texts: Texts

    var body: some View {
        HStack(spacing: -6) {
            ForEach(0..<mark.count, id: \.self) { _ in Image(systemName: mark.symbol) }
        }
        .font(.body.weight(.bold))
        .foregroundStyle(mark == .attention ? Color.red : .primary)
        .accessibilityElement(children: .ignore)
        .accessibilityLabel(mark.label(texts))
    }
}

/// The button that a screen is there for.
struct BigButton: View {
    let title: String
    let spot: Phrase
    let action: @MainActor () async -> Void

    /// `spot` is how a test finds it; its text is the title unless another one is given.
    init(_ texts: Texts, _ spot: Phrase, title: String? = nil, action: @escaping @MainActor () async -> Void) {
        self.title = title ?? texts(spot)
        self.spot = spot
        self.action = action
    }

    var body: some View {
        Button {
            Task { await action() }
        } label: {
            Text(title).font(.title3.weight(.semibold)).frame(maxWidth: .infinity, minHeight: thumb)
        }
        .buttonStyle(.borderedProminent)
        .accessibilityIdentifier(spot.rawValue)
    }
}

/// A button beside others.
struct PlainButton: View {
    let title: String
    let action: @MainActor () async -> Void

    init(_ title: String, action: @escaping @MainActor () async -> Void) {
        self.title = title
        self.action = action
    }

    var body: some View {
        Button {
            Task { await action() }
        } label: {
            Text(title).frame(maxWidth: .infinity, minHeight: thumb)
        }
        .buttonStyle(.bordered)
    }
}

/// What was done last, or what went wrong.
struct OutcomeView: View {
    let screen: Screen

    var body: some View {
        if let problem = screen.problem {
            ProblemView(problem: problem)
        } else if let notice = screen.notice {
            Label(notice, systemImage: Mark.saved.symbol).font(.headline)
        }
    }
}

/// What went wrong.
struct ProblemView: View {
    let problem: String

    var body: some View {
        Label(problem, systemImage: Mark.attention.symbol).font(.headline).foregroundStyle(.red)
    }
}

/// Bottles of one kind: less, how many, more.
struct CounterView: View {
    let texts: Texts
    let label: String
    let count: Int32
    let change: (Int32) -> Void

    var body: some View {
        HStack {
            Text(label).frame(maxWidth: .infinity, alignment: .leading)
            step(.minus, texts(.oneLess, label), -1)
            Text(texts.number(Int64(count))).font(.title2.monospacedDigit().weight(.bold)).frame(minWidth: thumb)
            step(.plus, texts(.oneMore, label), 1)
        }
    }

    private func step(_ symbol: Symbol, _ label: String, _ by: Int32) -> some View {
        Button {
            change(by)
        } label: {
            Image(systemName: symbol.rawValue).font(.title2).frame(minWidth: thumb, minHeight: thumb)
        }
        .buttonStyle(.bordered)
        .accessibilityLabel(label)
    }
}

/// The counts of a form, by product.
struct BottlesView: View {
    let texts: Texts
    let bottles: Bottles
    let full: Phrase
    let empty: Phrase

    var body: some View {
        ForEach(bottles.counts) { count in
            VStack(alignment: .leading) {
                Text(count.name).font(.headline)
                CounterView(texts: texts, label: texts(full), count: count.full) { bottles.addFull(count.id, $0) }
                CounterView(texts: texts, label: texts(empty), count: count.empty) { bottles.addEmpty(count.id, $0) }
            }
        }
    }
}

/// An amount to type, on a keyboard of digits.
struct AmountField: View {
    let texts: Texts
    @Binding var amount: String

    var body: some View {
        TextField(texts(.amount), text: $amount)
            .font(.title2)
            .frame(minHeight: thumb)
            .keyboardType(.decimalPad)
    }
}

/// A line of a list: what it is, more about it, an amount and a mark.
struct LineView: View {
    let title: String
    let detail: String
    let amount: String
    let mark: Mark?
    let texts: Texts
    let label: String

    var body: some View {
        HStack {
            VStack(alignment: .leading) {
                Text(title).font(.headline)
                if !detail.isEmpty { Text(detail).font(.subheadline) }
                if !amount.isEmpty { Text(amount).font(.subheadline.weight(.semibold)) }
            }
            .frame(maxWidth: .infinity, minHeight: thumb, alignment: .leading)
            if let mark { MarkView(mark: mark, texts: texts) }
        }
        .accessibilityElement(children: .ignore)
        .accessibilityLabel(label)
    }
}

/// Asks for one page more of a list.
struct MoreButton: View {
    let texts: Texts
    let more: () -> Void

    var body: some View {
        Button(texts(.showMore), action: more).frame(maxWidth: .infinity, minHeight: thumb)
    }
}

/// How things stand, on every screen.
struct StatusBar: View {
    let status: StatusModel

    var body: some View {
        HStack {
            MarkView(mark: status.mark, texts: status.texts)
            Text(status.headline).font(.subheadline.weight(.semibold)).frame(maxWidth: .infinity, alignment: .leading)
        }
        .padding()
        .background(.bar)
        .accessibilityElement(children: .ignore)
        .accessibilityLabel(status.label)
    }
}
#endif
