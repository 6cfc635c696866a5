# Signing in.
sign-in-title = साइन इन
sign-in-login = लॉगिन नाम
sign-in-password = पासवर्ड
sign-in-send = साइन इन करें
sign-in-no-match = लॉगिन नाम और पासवर्ड मेल नहीं खाते।
sign-in-too-many = बहुत बार कोशिश हुई। { $minutes } मिनट बाद फिर कोशिश करें।
