# What an open page says when something changed.
live-updated = Ukurasa umesasishwa.
live-stale = Kuna kitu kimebadilika tangu uanze hapa. Unachotuma kitahesabiwa kulingana na ulichokiona.
