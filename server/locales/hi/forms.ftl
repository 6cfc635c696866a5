# Fields, and what is wrong with a form.
field-name = नाम
field-phone = फ़ोन
field-address = पता
field-note = टिप्पणी
form-reason = कारण
form-not-accepted = स्वीकार नहीं हुआ: { $why }।
form-parked = सर्वर अपडेट होने तक रखा गया।
form-sent-already = यह फ़ॉर्म पहले ही दूसरे मानों के साथ भेजा जा चुका है, और वही गिने जाएँगे। दोबारा भेजने से पहले पृष्ठ को देख लें।
form-length = { $what }: { $length } अक्षर हैं ({ $min } से { $max } तक चाहिए)।
form-out-of-range = यह राशि सीमा से बाहर है।
form-by-nothing = शून्य का सुधार कुछ नहीं बदलता।
