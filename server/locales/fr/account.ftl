# One’s own account: the password, and where one is signed in.
account-title = Votre compte
account-password = Changer le mot de passe
account-old-password = Mot de passe actuel
account-ends-others = Vous serez déconnecté partout ailleurs.
account-changed = Le mot de passe a été changé. Vous êtes déconnecté partout ailleurs.
account-wrong-password = Ce n’est pas le mot de passe actuel.
account-sessions = Où vous êtes connecté
account-this-one = ce navigateur
account-since = Depuis le { $start } · utilisé le { $seen } · finit le { $end }
account-end-others = Se déconnecter partout ailleurs
