# Fields, and what is wrong with a form.
field-name = Jina
field-phone = Simu
field-address = Anwani
field-note = Maelezo
form-reason = Sababu
form-not-accepted = Haikukubaliwa: { $why }.
form-parked = Imehifadhiwa hadi seva isasishwe.
form-sent-already = Fomu hii ilishatumwa na thamani nyingine, na hizo ndizo zinazohesabika. Tazama ukurasa ulivyo sasa kabla ya kuituma tena.
form-length = { $what }: herufi { $length } (kati ya { $min } na { $max }).
form-out-of-range = Kiasi hicho kimepita kiwango.
form-by-nothing = Marekebisho ya sifuri hayabadilishi kitu.
