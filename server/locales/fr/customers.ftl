# The list of customers.
customers-title = Clients
customers-hint = Nom ou téléphone
customers-search = Chercher
customers-none = Aucun client trouvé.
customers-no-name = (sans nom)
customers-conflict = conflit
customers-closed = fermé
