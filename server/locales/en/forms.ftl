# Fields, and what is wrong with a form.
field-name = Name
field-phone = Phone
field-address = Address
field-note = Note
form-reason = Reason
form-not-accepted = Not accepted: { $why }.
form-parked = Kept until the server is updated.
form-sent-already = This form was already sent with other values, and those count. Look at the page as it is now before you send it again.
form-length = { $what } has { $length } characters ({ $min } to { $max }).
form-out-of-range = That amount is out of range.
form-by-nothing = An adjustment by nothing changes nothing.
