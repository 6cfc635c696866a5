# What people did, in words.
record-separator = {"; "}
record-unknown = Something that this version does not know yet
record-unreadable = Something that cannot be read
record-delivery = Delivery: { $what }
record-bottles = { $count } × { $product }
record-bottles-and-back =
    { $empties ->
        [one] { $count } × { $product }, { $empties } empty back
       *[other] { $count } × { $product }, { $empties } empties back
    }
record-empty = { $empties } × { $product } empty
record-full-and-empty = { $count } × { $product }, { $empties } empty
record-cash = Cash collected: { $what }
record-cash-line = Cash collected
record-profile = Profile: { $what }
record-field = { $field } “{ $value }”
record-failed = Delivery failed: { $what }
record-on-the-way = On the way there
record-arrived = Arrived there
record-skipped = Passed over this time
record-new-customer = New customer: { $what }
record-shift-started = Shift started
record-shift-finished = Shift finished
record-loaded = Loaded: { $what }
record-given-back = Given back to the plant: { $what }
record-handed-in = Cash handed in: { $what }
record-withdrawal = An earlier record withdrawn
record-acceptance = Left at an earlier record’s rejection
record-adjusted = Balance adjusted
record-adjusted-by = Balance adjusted by { $what }
record-set = Balance set to { $target } (seen: { $seen })
record-withdrawn = Withdrawn: { $what }
record-proof = Proof: { $proof }
record-reason = “{ $reason }”
record-not-the-target = The balance became { $after }, not { $target }, because { $meanwhile } came in after { $seen } was seen. Nothing of that is lost: only the difference, { $difference }, went on the ledger.
dealt-withdrawn-by-rider = withdrawn by the rider
dealt-withdrawn-by-manager = withdrawn by the manager
dealt-accepted-by-rider = accepted by the rider
dealt-accepted-by-manager = accepted by the manager
dealt-corrected = sent again as corrected
fail-closed = closed
fail-absent = nobody there
fail-refused = refused
fail-no-access = no access
fail-no-stock = no stock left
fail-with-note = { $reason }: { $note }
fail-other = other
rejection-invalid = not valid
rejection-unknown-customer = unknown customer
rejection-currency = other currency
rejection-forbidden = not allowed
rejection-id-reused = id used twice
rejection-tampered = changed on the phone
rejection-unknown-record = unknown record
rejection-withdrawn = withdrawn already
rejection-not-reversible = cannot be taken back
rejection-other = other reason
