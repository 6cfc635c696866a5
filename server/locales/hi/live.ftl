# What an open page says when something changed.
live-updated = पेज ताज़ा हो गया।
live-stale = आपके यहाँ शुरू करने के बाद कुछ बदल गया है। आप जो भेजेंगे, वह आपके देखे हुए के अनुसार गिना जाएगा।
