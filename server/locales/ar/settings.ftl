# How the plant’s pages are written.
settings-title = الإعدادات
settings-lead = لكل من في هذا المصنع. ويمكن لكل شخص اختيار لغة أخرى أسفل الصفحة.
settings-language = لغة المصنع
settings-time-zone = المنطقة الزمنية
settings-time-zone-hint = مكان، مثل Africa/Nairobi. الوقت هناك الآن { $time }.
settings-no-zone = لا توجد منطقة زمنية باسم «{ $zone }». اختر واحدة من القائمة.
settings-currency = العملة
settings-save = حفظ الإعدادات
settings-saved = حُفظ.
