# Pages that say what went wrong.
error-title = That did not work
error-back = To the customers
error-not-found = There is no such page or record here.
error-busy = The server has too much to do. Nothing was changed; try again in a moment.
error-unreadable = What was sent could not be read. Nothing was changed.
error-too-large = That is too large. Nothing was changed.
error-failed = The server failed. Nothing was changed.
error-not-our-form = This form was not sent from a page of this session. Open the page again, then send it.
error-not-allowed = You may look at this, but not change it. Ask an owner of the plant.
error-unfit = That cannot be done. Nothing was changed.
