# How the plant’s pages are written.
settings-title = Mipangilio
settings-lead = Kwa kila mtu wa kiwanda hiki. Kila mtu anaweza kuchagua lugha nyingine chini ya ukurasa.
settings-language = Lugha ya kiwanda
settings-time-zone = Ukanda wa saa
settings-time-zone-hint = Mahali, kwa mfano Africa/Nairobi. Huko sasa ni { $time }.
settings-no-zone = Hakuna ukanda wa saa “{ $zone }”. Chagua mmoja kutoka kwenye orodha.
settings-currency = Sarafu
settings-save = Hifadhi mipangilio
settings-saved = Imehifadhiwa.
