# What people did, in words.
record-separator = {"؛ "}
record-unknown = شيء لا تعرفه هذه النسخة بعد
record-unreadable = شيء لا يمكن قراءته
record-delivery = تسليم: { $what }
record-bottles = { $count } × { $product }
record-bottles-and-back =
    { $empties ->
        [one] { $count } × { $product }، واستُرجعت فارغة واحدة
        [two] { $count } × { $product }، واستُرجعت فارغتان
        [few] { $count } × { $product }، واستُرجعت { $empties } فارغات
       *[other] { $count } × { $product }، واستُرجعت { $empties } فارغة
    }
record-empty = { $empties } × { $product } فارغة
record-full-and-empty = { $count } × { $product }، { $empties } فارغة
record-cash = نقد مُحصَّل: { $what }
record-cash-line = نقد مُحصَّل
record-profile = البيانات: { $what }
record-field = { $field } «{ $value }»
record-failed = تعذّر التسليم: { $what }
record-on-the-way = في الطريق إليه
record-arrived = وصل إليه
record-skipped = تُجووز هذه المرة
record-new-customer = زبون جديد: { $what }
record-shift-started = بدأت الوردية
record-shift-finished = انتهت الوردية
record-loaded = حُمّل: { $what }
record-given-back = أُعيد إلى المصنع: { $what }
record-handed-in = نقد مُسلَّم: { $what }
record-withdrawal = سُحب سجل سابق
record-acceptance = قُبل رفض سجل سابق
record-adjusted = عُدّل الرصيد
record-adjusted-by = عُدّل الرصيد بمقدار { $what }
record-set = حُدّد الرصيد بـ { $target } (المعروض: { $seen })
record-withdrawn = سُحب: { $what }
record-proof = إثبات: { $proof }
record-reason = «{ $reason }»
record-not-the-target = أصبح الرصيد { $after } لا { $target }، لأن { $meanwhile } وصل بعد رؤية { $seen }. لم يضِع شيء: سُجّل الفرق وحده، { $difference }، في الحساب.
dealt-withdrawn-by-rider = سحبه الموزّع
dealt-withdrawn-by-manager = سحبه المدير
dealt-accepted-by-rider = قبله الموزّع
dealt-accepted-by-manager = قبله المدير
dealt-corrected = أُرسل ثانية مصحّحًا
fail-closed = مغلق
fail-absent = لا أحد هناك
fail-refused = رُفض
fail-no-access = لا يمكن الدخول
fail-no-stock = نفد المخزون
fail-with-note = { $reason }: { $note }
fail-other = سبب آخر
rejection-invalid = غير صالح
rejection-unknown-customer = زبون غير معروف
rejection-currency = عملة أخرى
rejection-forbidden = غير مسموح
rejection-id-reused = معرّف مستعمل مرتين
rejection-tampered = عُدّل على الهاتف
rejection-unknown-record = سجل غير معروف
rejection-withdrawn = سُحب من قبل
rejection-not-reversible = لا يمكن سحبه
rejection-other = سبب آخر
