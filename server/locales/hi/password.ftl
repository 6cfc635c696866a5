# Choosing a password.
password-title = पासवर्ड चुनें
password-lead = नमस्ते { $name }। वह पासवर्ड चुनें जिससे आप साइन इन करेंगे।
password-new = नया पासवर्ड
password-again = वही फिर से
password-hint = कम से कम 8 अक्षर। कई शब्द याद रखना आसान और भाँपना कठिन होता है।
password-save = पासवर्ड सहेजें
password-differs = दोनों पासवर्ड एक जैसे नहीं हैं।
password-link-gone = यह लिंक अब काम नहीं करता। प्लांट के किसी मालिक से दूसरा माँगें।
