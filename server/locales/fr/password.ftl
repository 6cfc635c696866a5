# Choosing a password.
password-title = Choisir un mot de passe
password-lead = Bonjour { $name }. Choisissez le mot de passe avec lequel vous vous connecterez.
password-new = Nouveau mot de passe
password-again = Le même encore une fois
password-hint = Au moins 8 caractères. Plusieurs mots se retiennent bien et se devinent mal.
password-save = Enregistrer le mot de passe
password-differs = Les deux mots de passe sont différents.
password-link-gone = Ce lien n’est plus valable. Demandez-en un autre à un propriétaire de l’usine.
