# The list of customers.
customers-title = الزبائن
customers-hint = الاسم أو الهاتف
customers-search = بحث
customers-none = لا يوجد زبون مطابق.
customers-no-name = (بلا اسم)
customers-conflict = تعارض
customers-closed = مغلق
