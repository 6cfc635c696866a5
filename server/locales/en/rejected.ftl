# What had no effect.
rejected-title = Rejected and parked
rejected-lead = What was recorded but had no effect. Nothing is thrown away: each is kept here as it came, and its author sees it too.
rejected-open = Open
rejected-dealt = Dealt with
rejected-none-open = Nothing that was rejected is open.
rejected-none-dealt = Nothing of that kind.
rejected-parked = parked
rejected-parked-why = Kept until the server is updated to a version that knows it.
rejected-applied = applied
rejected-for = For { $customer }
rejected-received = received { $time }
rejected-as-it-came = As it came
rejected-close = Deal with it…
rejected-close-parked = It will never be applied then.
rejected-note = Note
rejected-close-send = Dealt with
rejected-closed-by = dealt with by { $name }, { $time }
