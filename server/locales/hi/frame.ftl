# What stands around every page.
frame-skip = सीधे सामग्री पर जाएँ
frame-main = मुख्य मेनू
frame-customers = ग्राहक
frame-conflicts = टकराव
frame-rejected = अस्वीकृत
frame-devices = फ़ोन
frame-people = लोग
frame-audit = लेखा
frame-settings = सेटिंग
frame-sign-out = साइन आउट
frame-times = सभी समय { $zone } के हैं।
frame-language = भाषा
frame-language-choose = बदलें
frame-previous = पिछला
frame-next = अगला
frame-page = पृष्ठ { $page } / { $last }

# Who did it.
frame-by = { $name }, { $role }
role-rider = डिलीवरी कर्मचारी
role-manager = मैनेजर

# How long ago that was.
ago-now = अभी-अभी
ago-minutes = { $count } मिनट पहले
ago-hours =
    { $count ->
        [one] { $count } घंटा पहले
       *[other] { $count } घंटे पहले
    }
ago-days =
    { $count ->
        [one] { $count } दिन पहले
       *[other] { $count } दिन पहले
    }
clock-at = घड़ी में: { $number }

# A balance, from the customer's side.
balance-owes = बकाया
balance-credit = जमा
