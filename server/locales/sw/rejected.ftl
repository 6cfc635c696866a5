# What had no effect.
rejected-title = Zilizokataliwa na zinazosubiri
rejected-lead = Yaliyorekodiwa lakini hayakufanya kazi. Hakuna kinachotupwa: kila kimoja kimehifadhiwa hapa kama kilivyofika, na aliyekirekodi anakiona pia.
rejected-open = Wazi
rejected-dealt = Zilizoshughulikiwa
rejected-none-open = Hakuna iliyokataliwa inayosubiri.
rejected-none-dealt = Hakuna ya aina hiyo.
rejected-parked = inasubiri
rejected-parked-why = Imehifadhiwa hadi seva isasishwe na kuitambua.
rejected-applied = imetekelezwa
rejected-for = Kwa { $customer }
rejected-received = ilifika { $time }
rejected-as-it-came = Kama ilivyofika
rejected-close = Shughulikia…
rejected-close-parked = Basi haitatekelezwa kamwe.
rejected-note = Maelezo
rejected-close-send = Imeshughulikiwa
rejected-closed-by = imeshughulikiwa na { $name }, { $time }
