# What had no effect.
rejected-title = المرفوضة والمعلّقة
rejected-lead = ما سُجّل ولم يكن له أثر. لا يُرمى شيء: كل سجل محفوظ هنا كما وصل، ويراه صاحبه أيضًا.
rejected-open = مفتوحة
rejected-dealt = تمت معالجتها
rejected-none-open = لا يوجد مرفوض مفتوح.
rejected-none-dealt = لا شيء من هذا النوع.
rejected-parked = معلّق
rejected-parked-why = محفوظ إلى أن يُحدَّث الخادم فيعرفه.
rejected-applied = مُطبَّق
rejected-for = للزبون { $customer }
rejected-received = وصل { $time }
rejected-as-it-came = كما وصل
rejected-close = معالجة…
rejected-close-parked = ولن يُطبَّق بعد ذلك أبدًا.
rejected-note = ملاحظة
rejected-close-send = تمت المعالجة
rejected-closed-by = عالجه { $name }، { $time }
