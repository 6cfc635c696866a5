# Pages that say what went wrong.
error-title = لم ينجح ذلك
error-back = إلى الزبائن
error-not-found = لا توجد هنا صفحة أو سجل كهذا.
error-busy = الخادم مشغول جدًا. لم يتغيّر شيء؛ حاول مرة أخرى بعد قليل.
error-unreadable = تعذّرت قراءة ما أُرسل. لم يتغيّر شيء.
error-too-large = هذا كبير جدًا. لم يتغيّر شيء.
error-failed = تعطّل الخادم. لم يتغيّر شيء.
error-not-our-form = لم يُرسل هذا النموذج من صفحة في هذه الجلسة. افتح الصفحة من جديد ثم أرسله.
error-not-allowed = يمكنك رؤية هذا دون تغييره. اسأل أحد مالكي المصنع.
error-unfit = لا يمكن ذلك. لم يتغيّر شيء.
