# One customer.
customer-closed = ग़लती से जोड़ा गया और बंद: अब वहाँ कोई नहीं भेजा जाता। खाता फिर भी गिना जाता है।
customer-saved-line = खाते में { $sum } लिखा गया; शेष अब { $after } है।
customer-saved = सहेजा गया।
customer-unchanged = कुछ नहीं बदला।
customer-values =
    { $count ->
        [one] { $field }: { $count } मान
       *[other] { $field }: { $count } मान
    }
customer-which = दोनों ओर से, एक-दूसरे को देखे बिना बदला गया। कौन-सा सही है?
customer-empty = (खाली)
customer-shown = दिख रहा है
customer-somebody = कोई
customer-keep = इसे रखें
customer-edit = जानकारी बदलें
customer-save = जानकारी सहेजें
customer-direction = दिशा
customer-adjust = शेष में सुधार
customer-adjust-send = शेष सुधारें
customer-adjust-example = जैसे: दो बोतलें टूटी लौटीं
customer-by-how-much = कितने से ({ $currency })
customer-owes-more = ज़्यादा बकाया
customer-owes-less = कम बकाया
customer-set = शेष तय करें
customer-set-send = शेष तय करें
customer-set-example = जैसे: फ़ोन पर तय हुआ
customer-new-balance = नया शेष ({ $currency })
customer-owes = बकाया
customer-has-credit = जमा
customer-you-see = आप देख रहे हैं: { $balance }। खाते में केवल अंतर लिखा जाता है, ताकि रास्ते में चल रहा भुगतान न कटे।
customer-now = अब: { $balance }
customer-ledger = खाता
customer-no-lines = अभी कुछ नहीं।
customer-failed-visits = असफल फेरे
customer-withdrawn = वापस लिया गया
customer-received = मिला: { $time }
customer-then = फिर { $balance }
photo-of-delivery = डिलीवरी की फ़ोटो
photo-file = संलग्न फ़ाइल
photo-on-its-way = फ़ोटो आ रही है
