# Choosing a password.
password-title = Chagua nenosiri
password-lead = Habari { $name }. Chagua nenosiri utakaloingia nalo.
password-new = Nenosiri jipya
password-again = Lilelile tena
password-hint = Angalau herufi 8. Maneno kadhaa ni rahisi kukumbuka na magumu kukisia.
password-save = Hifadhi nenosiri
password-differs = Manenosiri mawili hayafanani.
password-link-gone = Kiungo hiki hakifanyi kazi tena. Omba kingine kwa mmiliki wa kiwanda.
