# One’s own account: the password, and where one is signed in.
account-title = حسابك
account-password = تغيير كلمة المرور
account-old-password = كلمة المرور الحالية
account-ends-others = وستخرج من كل مكان آخر.
account-changed = تغيّرت كلمة المرور. وخرجت من كل مكان آخر.
account-wrong-password = هذه ليست كلمة المرور الحالية.
account-sessions = أين أنت داخل
account-this-one = هذا المتصفح
account-since = منذ { $start } · آخر استعمال { $seen } · تنتهي { $end }
account-end-others = الخروج من كل مكان آخر
