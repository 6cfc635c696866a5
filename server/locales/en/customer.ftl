# One customer.
customer-closed = Added by mistake and closed: no rider is sent there any more. The ledger still counts.
customer-saved-line = { $sum } went on the ledger; the balance became { $after }.
customer-saved = Saved.
customer-unchanged = Nothing was changed.
customer-values =
    { $count ->
        [one] { $field }: { $count } value
       *[other] { $field }: { $count } values
    }
customer-which = Changed on both sides without having seen each other. Which one is right?
customer-empty = (empty)
customer-shown = shown
customer-somebody = somebody
customer-keep = Keep this one
customer-edit = Edit profile
customer-save = Save profile
customer-direction = Direction
customer-adjust = Adjust the balance
customer-adjust-send = Adjust balance
customer-adjust-example = For example: two bottles returned broken
customer-by-how-much = By how much ({ $currency })
customer-owes-more = owes more
customer-owes-less = owes less
customer-set = Set the balance
customer-set-send = Set balance
customer-set-example = For example: agreed on the phone
customer-new-balance = New balance ({ $currency })
customer-owes = owes
customer-has-credit = has credit of
customer-you-see = You see: { $balance }. Only the difference goes on the ledger, so that a payment still on its way is not undone.
customer-now = Now: { $balance }
customer-ledger = Ledger
customer-no-lines = Nothing yet.
customer-failed-visits = Failed visits
customer-withdrawn = withdrawn
customer-received = received { $time }
customer-then = then { $balance }
photo-of-delivery = Photo of the delivery
photo-file = Attached file
photo-on-its-way = photo on its way
