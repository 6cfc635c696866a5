# Customers with a field that was changed on both sides.
conflicts-title = التعارضات
conflicts-lead = غيّر شخصان الحقل نفسه دون أن يرى أحدهما تغيير الآخر. تظهر قيمة واحدة في كل مكان، وتُحفظ الأخرى. افتح زبونًا لتختار.
conflicts-none = لا توجد تعارضات.
