# What stands around every page.
frame-skip = Nenda kwenye maudhui
frame-main = Menyu kuu
frame-customers = Wateja
frame-conflicts = Migongano
frame-rejected = Zilizokataliwa
frame-devices = Simu
frame-people = Watu
frame-audit = Kumbukumbu
frame-settings = Mipangilio
frame-sign-out = Ondoka
frame-times = Saa zote ni za { $zone }.
frame-language = Lugha
frame-language-choose = Badilisha
frame-previous = Uliotangulia
frame-next = Unaofuata
frame-page = Ukurasa wa { $page } kati ya { $last }

# Who did it.
frame-by = { $name }, { $role }
role-rider = msambazaji
role-manager = meneja

# How long ago that was.
ago-now = sasa hivi
ago-minutes = dakika { $count } zilizopita
ago-hours =
    { $count ->
        [one] saa { $count } iliyopita
       *[other] saa { $count } zilizopita
    }
ago-days =
    { $count ->
        [one] siku { $count } iliyopita
       *[other] siku { $count } zilizopita
    }
clock-at = saa ya kifaa: { $number }

# A balance, from the customer's side.
balance-owes = anadaiwa
balance-credit = amelipa zaidi
