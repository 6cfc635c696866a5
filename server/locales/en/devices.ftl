# Phones: enrolment, last contact, the end of their access.
devices-title = Devices
devices-enrol-for = Enrol a phone for
devices-new-code = New code
devices-none = No phone is enrolled yet.
devices-code-for = Code for { $name }
devices-code-use = Type or scan it in the app. It works once, until { $time }, and is not shown again.
devices-never = never
devices-last-contact = Last contact
devices-unsent = Unsent then
devices-nothing = nothing
devices-enrolled = Enrolled
devices-revoked = revoked
devices-changed = record changed
devices-changed-why = What this phone sent is not what its own record says it wrote. What was changed had no effect and is kept under Rejected. Ask for the phone and compare the day’s cash.
devices-revoke-ask = Revoke access…
devices-revoke-what = What it recorded stays on it; it can send that only after it is enrolled again.
devices-revoke = Revoke
