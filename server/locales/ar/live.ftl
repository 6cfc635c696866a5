# What an open page says when something changed.
live-updated = تم تحديث الصفحة.
live-stale = تغيّر شيء منذ أن بدأت هنا. ما ترسله يُحسب بناءً على ما رأيته.
