/// What changed in etcd's own flags.
public enum EtcdFlags {
    /// Lets a member in by its certificate, wherever it calls from. Without `experimental-` since 3.6 (CHANGELOG-3.6.md).
    public static func peerSkipClientSANVerification(etcd version: ProgramVersion) -> String {
        version < ProgramVersion(3, 6) ? "experimental-peer-skip-client-san-verification" : "peer-skip-client-san-verification"
    }
}
