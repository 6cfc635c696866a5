# What people did, in words.
record-separator = {"; "}
record-unknown = Kitu ambacho toleo hili halikijui bado
record-unreadable = Kitu kisichosomeka
record-delivery = Uwasilishaji: { $what }
record-bottles = { $count } × { $product }
record-bottles-and-back =
    { $empties ->
        [one] { $count } × { $product }, chupa tupu { $empties } imerudi
       *[other] { $count } × { $product }, chupa tupu { $empties } zimerudi
    }
record-empty = { $empties } × { $product } tupu
record-full-and-empty = { $count } × { $product }, tupu { $empties }
record-cash = Pesa zilizopokelewa: { $what }
record-cash-line = Pesa zilizopokelewa
record-profile = Maelezo: { $what }
record-field = { $field } “{ $value }”
record-failed = Uwasilishaji umeshindikana: { $what }
record-on-the-way = Njiani kwenda huko
record-arrived = Amefika huko
record-skipped = Ameruka safari hii
record-new-customer = Mteja mpya: { $what }
record-shift-started = Zamu imeanza
record-shift-finished = Zamu imeisha
record-loaded = Imepakiwa: { $what }
record-given-back = Imerudishwa kiwandani: { $what }
record-handed-in = Pesa zilizokabidhiwa: { $what }
record-withdrawal = Rekodi ya awali imeondolewa
record-acceptance = Kukataliwa kwa rekodi ya awali kumekubaliwa
record-adjusted = Salio limerekebishwa
record-adjusted-by = Salio limerekebishwa kwa { $what }
record-set = Salio limewekwa { $target } (lililoonekana: { $seen })
record-withdrawn = Imeondolewa: { $what }
record-proof = Uthibitisho: { $proof }
record-reason = “{ $reason }”
record-not-the-target = Salio limekuwa { $after }, si { $target }, kwa sababu { $meanwhile } iliingia baada ya { $seen } kuonekana. Hakuna kilichopotea: tofauti pekee, { $difference }, iliingizwa kwenye daftari.
dealt-withdrawn-by-rider = imeondolewa na msambazaji
dealt-withdrawn-by-manager = imeondolewa na meneja
dealt-accepted-by-rider = imekubaliwa na msambazaji
dealt-accepted-by-manager = imekubaliwa na meneja
dealt-corrected = imetumwa tena ikiwa imesahihishwa
fail-closed = pamefungwa
fail-absent = hakukuwa na mtu
fail-refused = alikataa
fail-no-access = hakuna njia ya kuingia
fail-no-stock = bidhaa zimeisha
fail-with-note = { $reason }: { $note }
fail-other = nyingine
rejection-invalid = si halali
rejection-unknown-customer = mteja hajulikani
rejection-currency = sarafu nyingine
rejection-forbidden = hairuhusiwi
rejection-id-reused = kitambulisho kimetumika mara mbili
rejection-tampered = imebadilishwa kwenye simu
rejection-unknown-record = rekodi haijulikani
rejection-withdrawn = imeshaondolewa
rejection-not-reversible = haiwezi kuondolewa
rejection-other = sababu nyingine
