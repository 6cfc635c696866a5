# Phones: enrolment, last contact, the end of their access.
devices-title = الأجهزة
devices-enrol-for = تسجيل هاتف لـ
devices-new-code = رمز جديد
devices-none = لا يوجد هاتف مسجّل بعد.
devices-code-for = رمز لـ { $name }
devices-code-use = اكتبه في التطبيق أو صوّره به. يعمل مرة واحدة، حتى { $time }، ولا يظهر ثانية.
devices-never = أبدًا
devices-last-contact = آخر اتصال
devices-unsent = ما لم يُرسل حينها
devices-nothing = لا شيء
devices-enrolled = سُجّل في
devices-revoked = مُلغى
devices-changed = سجلّ معدَّل
devices-changed-why = ما أرسله هذا الهاتف يخالف سجلّه هو. ما عُدّل لم يكن له أثر وهو محفوظ في المرفوضة. اطلب الهاتف وقارن نقد اليوم.
devices-revoke-ask = إلغاء الوصول…
devices-revoke-what = ما سجّله يبقى فيه؛ ولا يستطيع إرساله إلا بعد تسجيله من جديد.
devices-revoke = إلغاء
