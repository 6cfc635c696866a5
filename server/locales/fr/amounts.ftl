# Amounts of money, and what is wrong with one that was typed.
amount-money = { $amount }{"\u00A0"}{ $currency }
amount-no-decimals = « { $text } » : { $currency } n’a pas de décimales.
amount-too-precise = « { $text } » : écrivez au plus { $decimals } chiffres après la virgule.
amount-unreadable = « { $text } » n’est pas un montant. Écrivez par exemple { $example }.
amount-too-large = « { $text } » est trop grand.
