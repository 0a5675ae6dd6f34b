import Glibc

/// How many connections this process may have open.
public enum ProcessDescriptors {
    /// Takes all that the process is allowed. Where the soft limit is left at 1,024, for the sake of `select`, the next connection
    /// would find no descriptor.
    public static func raiseLimit() {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
        limit.rlim_cur = limit.rlim_max
        _ = setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }
}
