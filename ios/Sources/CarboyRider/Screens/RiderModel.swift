// The screens of a signed-in rider, side by side.

import Carboy
import Observation

/// Everything that a signed-in rider sees.
@MainActor @Observable
public final class RiderModel: Identifiable {
    public let texts: Texts
    public let status: StatusModel
    public let route: RouteModel
    public let day: DayModel
    public let waiting: RecordsModel
    public let records: RecordsModel
    public let attention: AttentionModel
    public let customers: CustomersModel
    public let settings: SettingsModel

    private let rider: Rider

    init(_ rider: Rider, _ texts: Texts, settings: SettingsModel) {
        self.rider = rider
        self.texts = texts
        self.settings = settings
        status = StatusModel(rider, texts)
        route = RouteModel(rider, texts)
        day = DayModel(rider, texts)
        waiting = RecordsModel(rider, texts, .waiting)
        records = RecordsModel(rider, texts, .all)
        attention = AttentionModel(rider, texts)
        customers = CustomersModel(rider, texts)
    }

    /// The screen of a stop.
    public func stop(_ customer: CustomerId) -> StopModel { StopModel(rider, texts, customer: customer) }

    /// The screen of a customer.
    public func customer(_ customer: CustomerId) -> CustomerModel { CustomerModel(rider, texts, customer: customer) }

    /// The screen of a customer whom the rider met on the way of the route that is shown.
    public func newCustomer() -> NewCustomerModel { NewCustomerModel(rider, texts, route: route.route?.route) }
}
