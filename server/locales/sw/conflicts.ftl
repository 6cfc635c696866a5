# Customers with a field that was changed on both sides.
conflicts-title = Migongano
conflicts-lead = Watu wawili walibadilisha sehemu moja bila kuona badiliko la mwenzake. Thamani moja inaonyeshwa kila mahali, nyingine imehifadhiwa. Fungua mteja ili uchague.
conflicts-none = Hakuna mgongano.
