# What an open page says when something changed.
live-updated = The page was updated.
live-stale = Something changed since you began here. What you send counts with what you saw.
