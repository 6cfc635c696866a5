# One’s own account: the password, and where one is signed in.
account-title = Your account
account-password = Change the password
account-old-password = Password until now
account-ends-others = Everywhere else you are signed out.
account-changed = The password was changed. Everywhere else you are signed out.
account-wrong-password = That is not the password until now.
account-sessions = Where you are signed in
account-this-one = this browser
account-since = Since { $start } · last used { $seen } · ends { $end }
account-end-others = Sign out everywhere else
