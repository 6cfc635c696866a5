# One’s own account: the password, and where one is signed in.
account-title = आपका खाता
account-password = पासवर्ड बदलें
account-old-password = अब तक का पासवर्ड
account-ends-others = बाकी हर जगह आप साइन आउट हो जाएँगे।
account-changed = पासवर्ड बदल गया। बाकी हर जगह आप साइन आउट हो गए हैं।
account-wrong-password = यह अब तक का पासवर्ड नहीं है।
account-sessions = आप कहाँ साइन इन हैं
account-this-one = यह ब्राउज़र
account-since = शुरू: { $start } · पिछला उपयोग: { $seen } · समाप्ति: { $end }
account-end-others = बाकी हर जगह साइन आउट करें
