# Amounts of money, and what is wrong with one that was typed.
# The mark keeps the currency behind the amount, as Arabic reads.
amount-money = {"\u200F"}{ $amount }{"\u00A0"}{ $currency }
amount-no-decimals = «{ $text }»: لا كسور في { $currency }.
amount-too-precise = «{ $text }»: اكتب { $decimals } أرقام على الأكثر بعد الفاصلة.
amount-unreadable = «{ $text }» ليس مبلغًا. اكتبه هكذا: { $example }.
amount-too-large = «{ $text }» كبير جدًا.
