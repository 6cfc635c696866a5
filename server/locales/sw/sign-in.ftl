# Signing in.
sign-in-title = Ingia
sign-in-login = Jina la kuingia
sign-in-password = Nenosiri
sign-in-send = Ingia
sign-in-no-match = Jina la kuingia na nenosiri havilingani.
sign-in-too-many = Umejaribu mara nyingi mno. Jaribu tena baada ya dakika { $minutes }.
