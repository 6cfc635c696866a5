# One customer.
customer-closed = Ajouté par erreur et fermé : aucun livreur n’y va plus. Le compte reste valable.
customer-saved-line = { $sum } porté au compte ; le solde est devenu { $after }.
customer-saved = Enregistré.
customer-unchanged = Rien n’a été changé.
customer-values =
    { $count ->
        [one] { $field } : { $count } valeur
       *[other] { $field } : { $count } valeurs
    }
customer-which = Changé des deux côtés sans se voir. Laquelle est juste ?
customer-empty = (vide)
customer-shown = affichée
customer-somebody = quelqu’un
customer-keep = Garder celle-ci
customer-edit = Modifier la fiche
customer-save = Enregistrer la fiche
customer-direction = Sens
customer-adjust = Corriger le solde
customer-adjust-send = Corriger le solde
customer-adjust-example = Par exemple : deux bouteilles rendues cassées
customer-by-how-much = De combien ({ $currency })
customer-owes-more = doit plus
customer-owes-less = doit moins
customer-set = Fixer le solde
customer-set-send = Fixer le solde
customer-set-example = Par exemple : convenu au téléphone
customer-new-balance = Nouveau solde ({ $currency })
customer-owes = doit
customer-has-credit = a un avoir de
customer-you-see = Vous voyez : { $balance }. Seule la différence est portée au compte, pour ne pas annuler un paiement encore en route.
customer-now = Maintenant : { $balance }
customer-ledger = Compte
customer-no-lines = Rien pour l’instant.
customer-failed-visits = Passages sans livraison
customer-withdrawn = annulé
customer-received = reçu le { $time }
customer-then = puis { $balance }
photo-of-delivery = Photo de la livraison
photo-file = Fichier joint
photo-on-its-way = photo en route
