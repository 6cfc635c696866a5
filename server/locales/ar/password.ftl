# Choosing a password.
password-title = اختر كلمة مرور
password-lead = مرحبًا { $name }. اختر كلمة المرور التي ستدخل بها.
password-new = كلمة المرور الجديدة
password-again = نفسها مرة أخرى
password-hint = ٨ أحرف على الأقل. عدة كلمات سهلة الحفظ صعبة التخمين.
password-save = حفظ كلمة المرور
password-differs = كلمتا المرور غير متطابقتين.
password-link-gone = لم يعد هذا الرابط صالحًا. اطلب غيره من أحد مالكي المصنع.
