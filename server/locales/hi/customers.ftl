# The list of customers.
customers-title = ग्राहक
customers-hint = नाम या फ़ोन
customers-search = खोजें
customers-none = कोई ग्राहक नहीं मिला।
customers-no-name = (बिना नाम)
customers-conflict = टकराव
customers-closed = बंद
