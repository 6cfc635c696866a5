# The list of customers.
customers-title = Customers
customers-hint = Name or phone
customers-search = Search
customers-none = No customer matches.
customers-no-name = (no name)
customers-conflict = conflict
customers-closed = closed
