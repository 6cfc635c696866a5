# One’s own account: the password, and where one is signed in.
account-title = Akaunti yako
account-password = Badilisha nenosiri
account-old-password = Nenosiri la sasa
account-ends-others = Utatolewa kila mahali pengine.
account-changed = Nenosiri limebadilishwa. Umetolewa kila mahali pengine.
account-wrong-password = Hilo si nenosiri la sasa.
account-sessions = Mahali ulipoingia
account-this-one = kivinjari hiki
account-since = Tangu { $start } · ilitumika mwisho { $seen } · itaisha { $end }
account-end-others = Toka kila mahali pengine
