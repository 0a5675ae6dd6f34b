/// How full a machine's file systems are, in words: a disk that is full breaks things that say so, and things that do not.
enum MachineRoom {
    /// `scarce`: says which of the file systems that a node writes to have next to nothing left.
    static let functions = """
        scarce() {
            for what in -Pk -Pi; do
                df $what / /etc /opt /run /tmp /var /var/lib /var/lib/containerd /var/lib/kubelet /var/log 2> /dev/null |
                    awk -v what=$what 'NR > 1 && $2 > 0 && !seen[$6]++ {
                        if (what == "-Pk" && $4 < 8192)
                            printf "; the file system %s has %d MiB free of %d MiB: make room there\\n", $6, $4 / 1024, $2 / 1024
                        if (what == "-Pi" && $4 < 100)
                            printf "; the file system %s has room for %d files of %d: make room there\\n", $6, $4, $2
                    }'
            done
        }
        """
}
