# Signing in.
sign-in-title = Sign in
sign-in-login = Login
sign-in-password = Password
sign-in-send = Sign in
sign-in-no-match = Login and password do not match.
sign-in-too-many = Too many attempts. Try again in { $minutes } min.
