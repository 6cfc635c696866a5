# What an open page says when something changed.
live-updated = La page a été mise à jour.
live-stale = Quelque chose a changé depuis que vous avez commencé ici. Ce que vous envoyez compte avec ce que vous aviez vu.
