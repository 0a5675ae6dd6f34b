import NestboxAPI

/// CoreDNS's configuration. Its plugin `reload` picks a change up, so that one rolls nothing.
enum Corefile {
    /// As kubeadm writes it, unless the spec names upstreams.
    static func render(_ settings: ClusterSettings) -> String {
        let upstreams = settings.spec.addons?.coreDNS?.upstreams
        return """
            .:53 {
            \(errors(upstreams))
                health {
                   lameduck 5s
                }
                ready
                kubernetes \(settings.dnsDomain) in-addr.arpa ip6.arpa {
                   pods insecure
                   fallthrough in-addr.arpa ip6.arpa
                   ttl 30
                }
                prometheus :9153
            \(forward(upstreams))    reload
                loadbalance
            }

            """
    }

    /// Each name that nobody is asked for is an error to CoreDNS (SERVFAIL to who asks, at once), and one line in five minutes says so.
    private static func errors(_ upstreams: [String]?) -> String {
        guard upstreams?.isEmpty == true else { return "    errors" }
        return """
                errors {
                   consolidate 5m "no next plugin found$"
                }
            """
    }

    /// CoreDNS ends at once where `forward` finds no nameserver in the file, and by `loop` where what it finds is CoreDNS itself: on machines
    /// without a resolver, or with one on loopback, the spec has to say whom to ask.
    private static func forward(_ upstreams: [String]?) -> String {
        let cache = "    cache 30\n"
        if upstreams?.isEmpty == true { return cache }
        let to = upstreams?.joined(separator: " ") ?? "/etc/resolv.conf"
        return """
                forward . \(to) {
                   max_concurrent 1000
                }

            """ + cache + "    loop\n"
    }
}
