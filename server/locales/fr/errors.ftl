# Pages that say what went wrong.
error-title = Cela n’a pas marché
error-back = Vers les clients
error-not-found = Cette page ou cet élément n’existe pas ici.
error-busy = Le serveur est trop occupé. Rien n’a été changé ; réessayez dans un instant.
error-unreadable = L’envoi n’a pas pu être lu. Rien n’a été changé.
error-too-large = C’est trop volumineux. Rien n’a été changé.
error-failed = Le serveur a eu une panne. Rien n’a été changé.
error-not-our-form = Ce formulaire ne vient pas d’une page de cette session. Rouvrez la page, puis renvoyez-le.
error-not-allowed = Vous pouvez le voir, mais pas le modifier. Adressez-vous à un propriétaire de l’usine.
error-unfit = C’est impossible. Rien n’a été changé.
