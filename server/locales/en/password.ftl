# Choosing a password.
password-title = Choose a password
password-lead = Hello { $name }. Choose the password that you will sign in with.
password-new = New password
password-again = The same once more
password-hint = At least 8 characters. Several words are easy to remember and hard to guess.
password-save = Save password
password-differs = The two passwords are not the same.
password-link-gone = This link is not good any more. Ask an owner of the plant for another one.
