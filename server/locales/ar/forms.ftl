# Fields, and what is wrong with a form.
field-name = الاسم
field-phone = الهاتف
field-address = العنوان
field-note = ملاحظة
form-reason = السبب
form-not-accepted = لم يُقبل: { $why }.
form-parked = محفوظ إلى أن يُحدَّث الخادم.
form-sent-already = أُرسل هذا النموذج من قبل بقيم أخرى، وهي التي تُحتسب. انظر إلى الصفحة كما هي الآن قبل أن ترسله ثانية.
form-length = { $what }: عدد الحروف { $length } (من { $min } إلى { $max }).
form-out-of-range = هذا المبلغ خارج الحدود.
form-by-nothing = التعديل بصفر لا يغيّر شيئًا.
