# What people did, in words.
record-separator = {"; "}
record-unknown = कुछ ऐसा जो यह संस्करण अभी नहीं जानता
record-unreadable = कुछ ऐसा जो पढ़ा नहीं जा सकता
record-delivery = डिलीवरी: { $what }
record-bottles = { $count } × { $product }
record-bottles-and-back =
    { $empties ->
        [one] { $count } × { $product }, { $empties } खाली वापस
       *[other] { $count } × { $product }, { $empties } खाली वापस
    }
record-empty = { $empties } × { $product } खाली
record-full-and-empty = { $count } × { $product }, { $empties } खाली
record-cash = नकद मिला: { $what }
record-cash-line = नकद मिला
record-profile = जानकारी: { $what }
record-field = { $field } “{ $value }”
record-failed = डिलीवरी नहीं हुई: { $what }
record-on-the-way = रास्ते में
record-arrived = वहाँ पहुँचे
record-skipped = इस बार छोड़ा
record-new-customer = नया ग्राहक: { $what }
record-shift-started = पाली शुरू
record-shift-finished = पाली समाप्त
record-loaded = लादा गया: { $what }
record-given-back = संयंत्र को लौटाया: { $what }
record-handed-in = नकद जमा किया: { $what }
record-withdrawal = पहले का एक रिकॉर्ड वापस लिया
record-acceptance = पहले के रिकॉर्ड की अस्वीकृति मानी गई
record-adjusted = शेष सुधारा गया
record-adjusted-by = शेष { $what } से सुधारा गया
record-set = शेष { $target } तय हुआ (देखा गया: { $seen })
record-withdrawn = वापस लिया: { $what }
record-proof = प्रमाण: { $proof }
record-reason = “{ $reason }”
record-not-the-target = शेष { $target } नहीं, { $after } हुआ, क्योंकि { $seen } देखे जाने के बाद { $meanwhile } आया। कुछ भी खोया नहीं: खाते में केवल अंतर, { $difference }, लिखा गया।
dealt-withdrawn-by-rider = डिलीवरी कर्मचारी ने वापस लिया
dealt-withdrawn-by-manager = मैनेजर ने वापस लिया
dealt-accepted-by-rider = डिलीवरी कर्मचारी ने माना
dealt-accepted-by-manager = मैनेजर ने माना
dealt-corrected = सुधारकर फिर भेजा गया
fail-closed = बंद था
fail-absent = कोई नहीं था
fail-refused = लेने से मना किया
fail-no-access = पहुँच नहीं थी
fail-no-stock = माल ख़त्म
fail-with-note = { $reason }: { $note }
fail-other = अन्य
rejection-invalid = मान्य नहीं
rejection-unknown-customer = अनजान ग्राहक
rejection-currency = दूसरी मुद्रा
rejection-forbidden = अनुमति नहीं
rejection-id-reused = पहचान दो बार इस्तेमाल
rejection-tampered = फ़ोन पर बदला गया
rejection-unknown-record = अनजान रिकॉर्ड
rejection-withdrawn = पहले ही वापस लिया
rejection-not-reversible = वापस नहीं लिया जा सकता
rejection-other = अन्य कारण
