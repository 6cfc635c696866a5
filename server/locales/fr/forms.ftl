# Fields, and what is wrong with a form.
field-name = Nom
field-phone = Téléphone
field-address = Adresse
field-note = Note
form-reason = Motif
form-not-accepted = Non accepté : { $why }.
form-parked = Gardé jusqu’à la mise à jour du serveur.
form-sent-already = Ce formulaire a déjà été envoyé avec d’autres valeurs, et ce sont elles qui comptent. Regardez la page telle qu’elle est avant de le renvoyer.
form-length = { $what } : { $length } caractères (de { $min } à { $max }).
form-out-of-range = Ce montant est hors limites.
form-by-nothing = Une correction de zéro ne change rien.
