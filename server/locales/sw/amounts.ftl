# Amounts of money, and what is wrong with one that was typed.
amount-money = { $currency }{"\u00A0"}{ $amount }
amount-no-decimals = “{ $text }”: { $currency } haina desimali.
amount-too-precise = “{ $text }”: andika tarakimu zisizozidi { $decimals } baada ya nukta.
amount-unreadable = “{ $text }” si kiasi cha pesa. Andika kama { $example }.
amount-too-large = “{ $text }” ni kubwa mno.
