# Signing in.
sign-in-title = Connexion
sign-in-login = Identifiant
sign-in-password = Mot de passe
sign-in-send = Se connecter
sign-in-no-match = L’identifiant et le mot de passe ne correspondent pas.
sign-in-too-many = Trop d’essais. Réessayez dans { $minutes } min.
