# What had no effect.
rejected-title = अस्वीकृत और रुके हुए
rejected-lead = जो दर्ज हुआ पर लागू नहीं हुआ। कुछ भी फेंका नहीं जाता: हर रिकॉर्ड जैसा आया वैसा यहाँ रखा है, और लिखने वाला भी उसे देखता है।
rejected-open = खुले
rejected-dealt = निपटाए गए
rejected-none-open = कोई अस्वीकृत रिकॉर्ड खुला नहीं है।
rejected-none-dealt = ऐसा कुछ नहीं है।
rejected-parked = रुका हुआ
rejected-parked-why = तब तक रखा है जब तक सर्वर का नया संस्करण इसे न समझे।
rejected-applied = लागू
rejected-for = { $customer } के लिए
rejected-received = मिला: { $time }
rejected-as-it-came = जैसा आया
rejected-close = निपटाएँ…
rejected-close-parked = तब यह कभी लागू नहीं होगा।
rejected-note = टिप्पणी
rejected-close-send = निपट गया
rejected-closed-by = { $name } ने निपटाया, { $time }
