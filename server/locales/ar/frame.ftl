# What stands around every page.
frame-skip = انتقل إلى المحتوى
frame-main = القائمة الرئيسية
frame-customers = الزبائن
frame-conflicts = التعارضات
frame-rejected = المرفوضة
frame-devices = الأجهزة
frame-people = الأشخاص
frame-audit = السجل
frame-settings = الإعدادات
frame-sign-out = تسجيل الخروج
frame-times = الأوقات حسب توقيت { $zone }.
frame-language = اللغة
frame-language-choose = تغيير
frame-previous = السابق
frame-next = التالي
frame-page = الصفحة { $page } من { $last }

# Who did it.
frame-by = { $name }، { $role }
role-rider = موزّع
role-manager = مدير

# How long ago that was.
ago-now = الآن
ago-minutes = قبل { $count } د
ago-hours =
    { $count ->
        [one] قبل ساعة
        [two] قبل ساعتين
        [few] قبل { $count } ساعات
       *[other] قبل { $count } ساعة
    }
ago-days =
    { $count ->
        [one] قبل يوم
        [two] قبل يومين
        [few] قبل { $count } أيام
       *[other] قبل { $count } يومًا
    }
clock-at = الساعة تشير إلى { $number }

# A balance, from the customer's side.
balance-owes = عليه
balance-credit = له
