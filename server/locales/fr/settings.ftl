# How the plant’s pages are written.
settings-title = Réglages
settings-lead = Pour tous dans cette usine. Chacun peut choisir une autre langue en bas de page.
settings-language = Langue de l’usine
settings-time-zone = Fuseau horaire
settings-time-zone-hint = Un lieu, par exemple Africa/Nairobi. Il y est maintenant { $time }.
settings-no-zone = Le fuseau « { $zone } » n’existe pas. Choisissez-en un dans la liste.
settings-currency = Monnaie
settings-save = Enregistrer
settings-saved = Enregistré.
