# What stands around every page.
frame-skip = Aller au contenu
frame-main = Menu principal
frame-customers = Clients
frame-conflicts = Conflits
frame-rejected = Refusés
frame-devices = Appareils
frame-people = Personnes
frame-audit = Journal
frame-settings = Réglages
frame-sign-out = Se déconnecter
frame-times = Les heures sont celles de { $zone }.
frame-language = Langue
frame-language-choose = Changer
frame-previous = Précédent
frame-next = Suivant
frame-page = Page { $page } sur { $last }

# Who did it.
frame-by = { $name }, { $role }
role-rider = livreur
role-manager = gérant

# How long ago that was.
ago-now = à l’instant
ago-minutes = il y a { $count } min
ago-hours =
    { $count ->
        [one] il y a { $count } heure
       *[other] il y a { $count } heures
    }
ago-days =
    { $count ->
        [one] il y a { $count } jour
       *[other] il y a { $count } jours
    }
clock-at = horloge à { $number }

# A balance, from the customer's side.
balance-owes = doit
balance-credit = avoir
