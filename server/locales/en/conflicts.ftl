# Customers with a field that was changed on both sides.
conflicts-title = Conflicts
conflicts-lead = Two people changed the same field without having seen each other’s change. One value is shown everywhere, the other is kept. Open a customer to choose.
conflicts-none = No conflicts.
