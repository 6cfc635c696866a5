# What had no effect.
rejected-title = Refusés et en attente
rejected-lead = Ce qui a été enregistré mais est resté sans effet. Rien n’est jeté : tout est gardé ici comme reçu, et son auteur le voit aussi.
rejected-open = À traiter
rejected-dealt = Traités
rejected-none-open = Aucun refus à traiter.
rejected-none-dealt = Rien de ce genre.
rejected-parked = en attente
rejected-parked-why = Gardé jusqu’à ce que le serveur soit mis à jour et le connaisse.
rejected-applied = appliqué
rejected-for = Pour { $customer }
rejected-received = reçu le { $time }
rejected-as-it-came = Tel que reçu
rejected-close = Traiter…
rejected-close-parked = Il ne sera alors jamais appliqué.
rejected-note = Note
rejected-close-send = Traité
rejected-closed-by = traité par { $name }, le { $time }
