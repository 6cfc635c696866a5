# What people did, in words.
record-separator = {" ; "}
record-unknown = Quelque chose que cette version ne connaît pas encore
record-unreadable = Quelque chose d’illisible
record-delivery = Livraison : { $what }
record-bottles = { $count } × { $product }
record-bottles-and-back =
    { $empties ->
        [one] { $count } × { $product }, { $empties } vide repris
       *[other] { $count } × { $product }, { $empties } vides repris
    }
record-empty = { $empties } × { $product } vide
record-full-and-empty = { $count } × { $product }, { $empties } vides
record-cash = Espèces encaissées : { $what }
record-cash-line = Espèces encaissées
record-profile = Fiche : { $what }
record-field = { $field } « { $value } »
record-failed = Livraison manquée : { $what }
record-on-the-way = En route
record-arrived = Arrivé sur place
record-skipped = Sauté cette fois
record-new-customer = Nouveau client : { $what }
record-shift-started = Tournée commencée
record-shift-finished = Tournée terminée
record-loaded = Chargé : { $what }
record-given-back = Rendu à l’usine : { $what }
record-handed-in = Espèces remises : { $what }
record-withdrawal = Un enregistrement antérieur annulé
record-acceptance = Refus antérieur accepté
record-adjusted = Solde corrigé
record-adjusted-by = Solde corrigé de { $what }
record-set = Solde fixé à { $target } (vu : { $seen })
record-withdrawn = Annulé : { $what }
record-proof = Preuve : { $proof }
record-reason = « { $reason } »
record-not-the-target = Le solde est devenu { $after }, et non { $target }, car { $meanwhile } est arrivé après que { $seen } a été vu. Rien n’est perdu : seule la différence, { $difference }, a été portée au compte.
dealt-withdrawn-by-rider = annulé par le livreur
dealt-withdrawn-by-manager = annulé par le gérant
dealt-accepted-by-rider = accepté par le livreur
dealt-accepted-by-manager = accepté par le gérant
dealt-corrected = renvoyé corrigé
fail-closed = fermé
fail-absent = personne sur place
fail-refused = refusé
fail-no-access = pas d’accès
fail-no-stock = plus de stock
fail-with-note = { $reason } : { $note }
fail-other = autre
rejection-invalid = non valable
rejection-unknown-customer = client inconnu
rejection-currency = autre monnaie
rejection-forbidden = non autorisé
rejection-id-reused = identifiant déjà utilisé
rejection-tampered = modifié sur le téléphone
rejection-unknown-record = enregistrement inconnu
rejection-withdrawn = déjà annulé
rejection-not-reversible = ne peut être annulé
rejection-other = autre raison
