# Amounts of money, and what is wrong with one that was typed.
amount-money = { $currency }{"\u00A0"}{ $amount }
amount-no-decimals = “{ $text }”: { $currency } में दशमलव नहीं होता।
amount-too-precise = “{ $text }”: बिंदु के बाद ज़्यादा से ज़्यादा { $decimals } अंक लिखें।
amount-unreadable = “{ $text }” कोई राशि नहीं है। ऐसे लिखें: { $example }।
amount-too-large = “{ $text }” बहुत बड़ी राशि है।
