# Customers with a field that was changed on both sides.
conflicts-title = टकराव
conflicts-lead = दो लोगों ने एक-दूसरे का बदलाव देखे बिना एक ही जानकारी बदली। एक मान हर जगह दिखता है, दूसरा सँभालकर रखा है। चुनने के लिए ग्राहक खोलें।
conflicts-none = कोई टकराव नहीं।
