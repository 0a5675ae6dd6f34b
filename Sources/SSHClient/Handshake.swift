import CSSH2

extension SSHSession {
    /// Agrees on keys with methods that are known good, and checks the host key before anything else is said.
    func handshake(policy: HostKeyPolicy, timeout: Duration) throws -> HostKey {
        let operation = Operation("the SSH handshake", timeout: timeout)
        for (method, names) in [
            (LIBSSH2_METHOD_KEX, ["curve25519-sha256", "curve25519-sha256@libssh.org"]),
            (LIBSSH2_METHOD_HOSTKEY, policy.algorithms),
            (LIBSSH2_METHOD_CRYPT_CS, ["aes256-ctr"]), (LIBSSH2_METHOD_CRYPT_SC, ["aes256-ctr"]),
            (LIBSSH2_METHOD_MAC_CS, ["hmac-sha2-256"]), (LIBSSH2_METHOD_MAC_SC, ["hmac-sha2-256"]),
        ] {
            let code = libssh2_session_method_pref(pointer, method, names.joined(separator: ","))
            guard code == 0 else {
                throw SSHError.library("libssh2 does not know \(names.joined(separator: ", ")): \(lastError(Int(code)))")
            }
        }
        let descriptor = socket.descriptor
        let result = try perform(operation) { Int(libssh2_session_handshake(pointer, descriptor)) }
        guard result == 0 else {
            if socket.isShutDown { throw CancellationError() }
            throw SSHError.handshakeFailed(target, reason: handshakeReason(Int32(result)))
        }
        var length = 0
        var type: Int32 = 0
        guard let start = libssh2_session_hostkey(pointer, &length, &type),
            let key = HostKey(blob: UnsafeRawBufferPointer(start: start, count: length).map { $0 })
        else { throw SSHError.handshakeFailed(target, reason: "it presented no host key") }
        guard policy.accepts(key) else {
            guard case .pinned(let trusted) = policy else { return key }
            throw SSHError.hostKeyChanged(target, trusted: trusted, presented: key)
        }
        return key
    }

    private func handshakeReason(_ code: Int32) -> String {
        switch code {
        case LIBSSH2_ERROR_BANNER_RECV, LIBSSH2_ERROR_BANNER_SEND:
            "what answers there does not speak SSH, or closed the connection at once; check the port"
        case LIBSSH2_ERROR_KEX_FAILURE, LIBSSH2_ERROR_METHOD_NONE, LIBSSH2_ERROR_KEY_EXCHANGE_FAILURE:
            "no methods in common (\(lastError(Int(code)))); the server needs curve25519-sha256, aes256-ctr, hmac-sha2-256 "
                + "and an Ed25519 or ECDSA host key"
        default: lastError(Int(code))
        }
    }

    /// Proves the user by its key.
    func authenticate(with key: SSHPrivateKey, timeout: Duration) throws {
        let operation = Operation("SSH authentication", timeout: timeout)
        let user = target.user
        let result = try perform(operation) {
            Int(
                libssh2_userauth_publickey_frommemory(
                    pointer, user, user.utf8.count, nil, 0, key.text, key.text.utf8.count, nil))
        }
        switch Int32(result) {
        case 0: return
        case LIBSSH2_ERROR_AUTHENTICATION_FAILED, LIBSSH2_ERROR_PUBLICKEY_UNVERIFIED:
            throw SSHError.authenticationRefused(target, reason: "the server does not accept this key for user \(user)")
        case LIBSSH2_ERROR_FILE, LIBSSH2_ERROR_METHOD_NOT_SUPPORTED, LIBSSH2_ERROR_KEYFILE_AUTH_FAILED:
            throw SSHError.unusableKey("the SSH private key cannot be read: \(lastError(result))")
        default: throw failure(operation, result)
        }
    }
}
