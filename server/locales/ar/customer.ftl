# One customer.
customer-closed = أُضيف خطأً وأُغلق: لا يُرسل إليه موزّع بعد الآن. ويبقى الحساب ساريًا.
customer-saved-line = سُجّل { $sum } في الحساب؛ وأصبح الرصيد { $after }.
customer-saved = حُفظ.
customer-unchanged = لم يتغيّر شيء.
customer-values =
    { $count ->
        [one] { $field }: قيمة واحدة
        [two] { $field }: قيمتان
        [few] { $field }: { $count } قيم
       *[other] { $field }: { $count } قيمة
    }
customer-which = غُيّر من الجهتين دون أن ترى إحداهما الأخرى. أيّهما الصحيح؟
customer-empty = (فارغ)
customer-shown = معروضة
customer-somebody = شخص ما
customer-keep = الإبقاء على هذه
customer-edit = تعديل البيانات
customer-save = حفظ البيانات
customer-direction = الاتجاه
customer-adjust = تعديل الرصيد
customer-adjust-send = تعديل الرصيد
customer-adjust-example = مثلًا: أُعيدت قارورتان مكسورتان
customer-by-how-much = بكم ({ $currency })
customer-owes-more = عليه أكثر
customer-owes-less = عليه أقل
customer-set = تحديد الرصيد
customer-set-send = تحديد الرصيد
customer-set-example = مثلًا: اتُّفق عليه بالهاتف
customer-new-balance = الرصيد الجديد ({ $currency })
customer-owes = عليه
customer-has-credit = له
customer-you-see = ترى الآن: { $balance }. يُسجَّل الفرق وحده في الحساب، فلا تُلغى دفعة ما زالت في الطريق.
customer-now = الآن: { $balance }
customer-ledger = دفتر الحساب
customer-no-lines = لا شيء بعد.
customer-failed-visits = زيارات لم تنجح
customer-withdrawn = مسحوب
customer-received = وصل { $time }
customer-then = ثم { $balance }
photo-of-delivery = صورة التسليم
photo-file = ملف مرفق
photo-on-its-way = الصورة في الطريق
