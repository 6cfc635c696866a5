# What stands around every page.
frame-skip = Skip to the content
frame-main = Main
frame-customers = Customers
frame-conflicts = Conflicts
frame-rejected = Rejected
frame-devices = Devices
frame-people = People
frame-audit = Audit trail
frame-settings = Settings
frame-sign-out = Sign out
frame-times = Times are those of { $zone }.
frame-language = Language
frame-language-choose = Change
frame-previous = Previous
frame-next = Next
frame-page = Page { $page } of { $last }

# Who did it.
frame-by = { $name }, { $role }
role-rider = rider
role-manager = manager

# How long ago that was.
ago-now = just now
ago-minutes = { $count } min ago
ago-hours =
    { $count ->
        [one] { $count } hour ago
       *[other] { $count } hours ago
    }
ago-days =
    { $count ->
        [one] { $count } day ago
       *[other] { $count } days ago
    }
clock-at = clock at { $number }

# A balance, from the customer's side.
balance-owes = owes
balance-credit = credit
