# The list of customers.
customers-title = Wateja
customers-hint = Jina au simu
customers-search = Tafuta
customers-none = Hakuna mteja aliyepatikana.
customers-no-name = (bila jina)
customers-conflict = mgongano
customers-closed = amefungwa
