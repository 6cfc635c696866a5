# Signing in.
sign-in-title = تسجيل الدخول
sign-in-login = اسم الدخول
sign-in-password = كلمة المرور
sign-in-send = دخول
sign-in-no-match = اسم الدخول وكلمة المرور غير متطابقين.
sign-in-too-many = محاولات كثيرة جدًا. حاول مرة أخرى بعد { $minutes } دقيقة.
