# Amounts of money, and what is wrong with one that was typed.
amount-money = { $currency }{"\u00A0"}{ $amount }
amount-no-decimals = “{ $text }”: { $currency } has no decimals.
amount-too-precise = “{ $text }”: write at most { $decimals } digits behind the point.
amount-unreadable = “{ $text }” is not an amount. Write it like { $example }.
amount-too-large = “{ $text }” is too large.
