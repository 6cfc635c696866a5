# Customers with a field that was changed on both sides.
conflicts-title = Conflits
conflicts-lead = Deux personnes ont changé le même champ sans avoir vu le changement de l’autre. Une valeur est affichée partout, l’autre est gardée. Ouvrez un client pour choisir.
conflicts-none = Aucun conflit.
