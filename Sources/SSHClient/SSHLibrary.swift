import CSSH2

/// libssh2's process-wide state.
public enum SSHLibrary {
    private static let status = libssh2_init(0)

    /// Readies libssh2; its own initialisation is not safe beside other threads, so call this first thing in `main`.
    /// Later calls do nothing.
    public static func initialize() throws(SSHError) {
        guard status == 0 else { throw .library("libssh2 could not be initialised (code \(status)); is OpenSSL installed whole?") }
    }
}
