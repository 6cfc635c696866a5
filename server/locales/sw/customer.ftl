# One customer.
customer-closed = Aliongezwa kimakosa na amefungwa: hakuna msambazaji anayetumwa tena. Daftari bado linahesabiwa.
customer-saved-line = { $sum } imeingizwa kwenye daftari; salio limekuwa { $after }.
customer-saved = Imehifadhiwa.
customer-unchanged = Hakuna kilichobadilika.
customer-values =
    { $count ->
        [one] { $field }: thamani { $count }
       *[other] { $field }: thamani { $count }
    }
customer-which = Ilibadilishwa pande zote mbili bila kuonana. Ipi ni sahihi?
customer-empty = (tupu)
customer-shown = inaonyeshwa
customer-somebody = mtu fulani
customer-keep = Bakiza hii
customer-edit = Hariri maelezo
customer-save = Hifadhi maelezo
customer-direction = Upande
customer-adjust = Rekebisha salio
customer-adjust-send = Rekebisha salio
customer-adjust-example = Kwa mfano: chupa mbili zilirudi zimevunjika
customer-by-how-much = Kwa kiasi gani ({ $currency })
customer-owes-more = anadaiwa zaidi
customer-owes-less = anadaiwa pungufu
customer-set = Weka salio
customer-set-send = Weka salio
customer-set-example = Kwa mfano: tulikubaliana kwa simu
customer-new-balance = Salio jipya ({ $currency })
customer-owes = anadaiwa
customer-has-credit = amelipa zaidi
customer-you-see = Unaona: { $balance }. Tofauti pekee ndiyo inayoingia kwenye daftari, ili malipo yaliyo njiani yasifutwe.
customer-now = Sasa: { $balance }
customer-ledger = Daftari
customer-no-lines = Hakuna kitu bado.
customer-failed-visits = Ziara zilizoshindikana
customer-withdrawn = imeondolewa
customer-received = ilifika { $time }
customer-then = kisha { $balance }
photo-of-delivery = Picha ya uwasilishaji
photo-file = Faili lililoambatishwa
photo-on-its-way = picha iko njiani
