# How the plant’s pages are written.
settings-title = Settings
settings-lead = For everybody of this plant. Each person can choose another language at the foot of the page.
settings-language = Language of the plant
settings-time-zone = Time zone
settings-time-zone-hint = A place, for example Africa/Nairobi. It is now { $time } there.
settings-no-zone = There is no time zone “{ $zone }”. Choose one from the list.
settings-currency = Currency
settings-save = Save settings
settings-saved = Saved.
