# Phones: enrolment, last contact, the end of their access.
devices-title = Appareils
devices-enrol-for = Inscrire un téléphone pour
devices-new-code = Nouveau code
devices-none = Aucun téléphone n’est encore inscrit.
devices-code-for = Code pour { $name }
devices-code-use = Tapez-le ou scannez-le dans l’application. Il sert une fois, jusqu’au { $time }, et n’est plus affiché ensuite.
devices-never = jamais
devices-last-contact = Dernier contact
devices-unsent = Non envoyé alors
devices-nothing = rien
devices-enrolled = Inscrit
devices-revoked = retiré
devices-changed = données modifiées
devices-changed-why = Ce que ce téléphone a envoyé ne correspond pas à son propre registre. Ce qui a été modifié est resté sans effet et se trouve sous Refusés. Demandez le téléphone et comparez la caisse du jour.
devices-revoke-ask = Retirer l’accès…
devices-revoke-what = Ce qu’il a enregistré y reste ; il ne pourra l’envoyer qu’après une nouvelle inscription.
devices-revoke = Retirer
