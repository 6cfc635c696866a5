# How the plant’s pages are written.
settings-title = सेटिंग
settings-lead = इस संयंत्र के सभी लोगों के लिए। हर व्यक्ति पृष्ठ के नीचे दूसरी भाषा चुन सकता है।
settings-language = संयंत्र की भाषा
settings-time-zone = समय क्षेत्र
settings-time-zone-hint = कोई जगह, जैसे Africa/Nairobi। वहाँ अभी { $time } है।
settings-no-zone = “{ $zone }” नाम का कोई समय क्षेत्र नहीं है। सूची से चुनें।
settings-currency = मुद्रा
settings-save = सेटिंग सहेजें
settings-saved = सहेजा गया।
