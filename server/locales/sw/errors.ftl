# Pages that say what went wrong.
error-title = Haikufaulu
error-back = Rudi kwa wateja
error-not-found = Hakuna ukurasa wala rekodi kama hiyo hapa.
error-busy = Seva ina kazi nyingi mno. Hakuna kilichobadilika; jaribu tena baada ya muda mfupi.
error-unreadable = Kilichotumwa hakikusomeka. Hakuna kilichobadilika.
error-too-large = Ni kubwa mno. Hakuna kilichobadilika.
error-failed = Seva imepata hitilafu. Hakuna kilichobadilika.
error-not-our-form = Fomu hii haikutumwa kutoka ukurasa wa kikao hiki. Fungua ukurasa tena, kisha uitume.
error-not-allowed = Unaweza kutazama hili, lakini si kulibadilisha. Muulize mmiliki wa kiwanda.
error-unfit = Haiwezekani. Hakuna kilichobadilishwa.
