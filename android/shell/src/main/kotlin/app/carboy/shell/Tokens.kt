package app.carboy.shell

import app.carboy.AccountId
import app.carboy.KeyStoreException
import app.carboy.TokenException
import app.carboy.TokenProvider
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.withContext

/** The bearer token of [account] among the phone's secrets. Carboy's tokens last until a manager revokes them. */
internal class Tokens(private val keys: Keys, private val account: AccountId) : TokenProvider {
    private val name = "carboy.$account.token"

    override suspend fun token(refresh: Boolean): String {
        // The server refused the only token there is: the rider has to enrol anew.
        if (refresh) throw TokenException.SignedOut()
        val token = try {
            withContext(Dispatchers.IO) { keys.read(name) }
        } catch (error: KeyStoreException) {
            throw TokenException.Unavailable("the token cannot be read: $error")
        } catch (error: SecretLost) {
            throw TokenException.SignedOut().apply { initCause(error) }
        }
        return token?.decodeToString() ?: throw TokenException.SignedOut()
    }

    fun keep(token: String) = keys.save(name, token.encodeToByteArray())

    fun forget() = keys.remove(name)
}
