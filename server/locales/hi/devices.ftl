# Phones: enrolment, last contact, the end of their access.
devices-title = फ़ोन
devices-enrol-for = इनके लिए फ़ोन जोड़ें
devices-new-code = नया कोड
devices-none = अभी कोई फ़ोन जुड़ा नहीं है।
devices-code-for = { $name } के लिए कोड
devices-code-use = ऐप में इसे लिखें या स्कैन करें। यह एक बार, { $time } तक चलेगा और दोबारा नहीं दिखेगा।
devices-never = कभी नहीं
devices-last-contact = पिछला संपर्क
devices-unsent = तब तक न भेजे गए
devices-nothing = कुछ नहीं
devices-enrolled = जोड़ा गया
devices-revoked = हटाया गया
devices-changed = रिकॉर्ड बदला गया
devices-changed-why = इस फ़ोन ने जो भेजा वह उसके अपने रिकॉर्ड से नहीं मिलता। जो बदला गया वह लागू नहीं हुआ और “अस्वीकृत” में रखा है। फ़ोन मँगाएँ और दिन का नकद मिलाएँ।
devices-revoke-ask = पहुँच हटाएँ…
devices-revoke-what = उसमें दर्ज चीज़ें उसी में रहती हैं; दोबारा जोड़ने पर ही वह उन्हें भेज सकेगा।
devices-revoke = हटाएँ
