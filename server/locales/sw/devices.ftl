# Phones: enrolment, last contact, the end of their access.
devices-title = Simu
devices-enrol-for = Sajili simu ya
devices-new-code = Msimbo mpya
devices-none = Hakuna simu iliyosajiliwa bado.
devices-code-for = Msimbo wa { $name }
devices-code-use = Uandike au uchanganue kwenye programu. Unatumika mara moja, hadi { $time }, na hautaonyeshwa tena.
devices-never = bado
devices-last-contact = Mawasiliano ya mwisho
devices-unsent = Hazikuwa zimetumwa
devices-nothing = hakuna
devices-enrolled = Ilisajiliwa
devices-revoked = imeondolewa
devices-changed = rekodi imebadilishwa
devices-changed-why = Simu hii ilituma tofauti na rekodi yake yenyewe. Yaliyobadilishwa hayakufanya kazi na yako kwenye Zilizokataliwa. Omba simu hiyo na ulinganishe pesa za siku.
devices-revoke-ask = Ondoa ruhusa…
devices-revoke-what = Iliyorekodi inabaki ndani yake; inaweza kuituma tu baada ya kusajiliwa tena.
devices-revoke = Ondoa
