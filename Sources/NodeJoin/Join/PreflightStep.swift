public import NestboxAPI
import SSHClient

/// Looks at the machine before anything of it is changed, and names all that is wrong at once.
enum PreflightStep {
    /// What a refusal begins with.
    fileprivate static let refusal = "this machine cannot join: "
    private static let marker = "\(NodePaths.configuration)/preflight"
    fileprivate static let name = "Preflight"

    static func step(_ parameters: JoinParameters) -> Step {
        let owner = shellQuoted(ClaimFile.line(parameters.owner))
        return Step(
            name,
            // Once passed it is not asked again: by then the kubelet and the ports are our own.
            check: Script("[ \"$(cat \(marker) 2>/dev/null)\" = \(owner) ] || [ -e \(NodePaths.configuration)/sysctl.before ]"),
            actions: [.script(script(parameters))],
            timeout: .seconds(60), retry: .once)
    }

    static func script(_ parameters: JoinParameters) -> Script {
        let needs = parameters.requirements
        return Script(
            """
            problems=
            problem() { problems="$problems${problems:+; }$*"; }
            \(system(needs) + identity(needs))
            \(kernel)
            \(otherClusters(parameters.tools))
            \(ports)
            \(disk(needs))
            \(clock(needs))
            \(networks(parameters.network))
            if [ -n "$problems" ]; then
                # Nothing of ours is on it but the claim: whoever mends it may register it anew.
                rm -rf \(NodePaths.configuration)
                refuse "\(refusal)$problems"
            fi
            echo \(shellQuoted(ClaimFile.line(parameters.owner))) | put \(marker) 644
            """)
    }

    private static func system(_ needs: MachineRequirements) -> String {
        """
        [ "$(id -u)" = 0 ] || problem "commands do not run as root"
        case " $(. /etc/os-release 2>/dev/null; echo "${ID:-} ${ID_LIKE:-}") " in
        *" debian "*) ;;
        *) problem "its operating system is neither Debian nor made from it" ;;
        esac
        [ -d /run/systemd/system ] || problem "systemd is not its init system"
        for tool in systemctl ip tar awk sed sha256sum mountpoint bash journalctl; do
            command -v "$tool" > /dev/null || problem "it has no program '$tool'"
        done
        case $(uname -m) in x86_64) architecture=amd64 ;; aarch64) architecture=arm64 ;; *) architecture=$(uname -m) ;; esac
        [ "$architecture" = \(shellQuoted(needs.architecture)) ] ||
            problem "its architecture is $architecture, and the artifacts are for \(needs.architecture)"
        glibc=$(getconf GNU_LIBC_VERSION 2>/dev/null | awk '{ print $2 }')
        [ "$(printf '%s\\n' \(shellQuoted(needs.glibc)) "$glibc" | sort -V | head -n 1)" = \(shellQuoted(needs.glibc)) ] ||
            problem "its C library is ${glibc:-not glibc}, and \(needs.glibc) or newer is needed (Debian 12)"
        """
    }

    private static let kernel = """
        [ "$(awk 'NR > 1' /proc/swaps | wc -l)" = 0 ] || problem "swap is on (swapoff -a, and take it out of /etc/fstab)"
        modprobe -q -a overlay br_netfilter nf_conntrack 2>/dev/null || true
        [ -e /proc/sys/net/bridge/bridge-nf-call-iptables ] || problem "the kernel has no br_netfilter"
        [ -e /proc/sys/net/ipv4/ip_forward ] || problem "the kernel has no IPv4 forwarding"
        if [ -f /sys/fs/cgroup/cgroup.controllers ]; then
            for controller in cpu cpuset memory pids; do
                case " $(cat /sys/fs/cgroup/cgroup.controllers) " in
                *" $controller "*) ;;
                *) problem "cgroup controller '$controller' is off" ;;
                esac
            done
        else
            for controller in cpu cpuacct cpuset memory devices freezer blkio pids; do
                [ -d "/sys/fs/cgroup/$controller" ] || problem "cgroup controller '$controller' is not mounted"
            done
        fi
        """

    /// A containerd of the machine's own does not keep it from being a node: ours runs beside it.
    static func otherClusters(_ tools: ToolChoice) -> String {
        let (runtimes, folders) =
            tools.hasOwnContainerd
            ? ("dockerd", "/var/lib/kubelet /etc/cni/net.d")
            : ("containerd | dockerd", "/var/lib/kubelet /var/lib/containerd /etc/cni/net.d")
        return """
            \(tools.problem.map { "problem \(shellQuoted($0))" } ?? ":")
            for process in /proc/[0-9]*; do
                case $(cat "$process/comm" 2>/dev/null) in
                kubelet | k3s* | rke2 | k0s | kubelite) problem "'$(cat "$process/comm")' runs on it: it is a node of some cluster already" ;;
                \(runtimes)) problem "'$(cat "$process/comm")' runs on it, whose containers and rules Nestbox's would collide with" ;;
                esac
            done
            for path in /etc/kubernetes/kubelet.conf /etc/kubernetes/manifests /etc/rancher /var/lib/k0s /var/snap/microk8s; do
                [ ! -e "$path" ] || problem "$path is there: it was or is a node of another cluster"
            done
            for path in \(folders); do
                [ -z "$(find "$path" -mindepth 1 -maxdepth 1 ! -name lost+found 2>/dev/null | head -n 1)" ] ||
                    problem "$path is not empty: it was or is a node of another cluster"
            done
            """
    }

    private static let ports = """
        for port in 10250 10248 10249 10256; do
            hex=$(printf '%04X' "$port")
            if cat /proc/net/tcp /proc/net/tcp6 2>/dev/null |
                awk -v hex="$hex" '$4 == "0A" { n = split($2, part, ":"); if (part[n] == hex) found = 1 } END { exit !found }'
            then
                problem "something listens on port $port already"
            fi
        done
        """

    private static func disk(_ needs: MachineRequirements) -> String {
        """
        # Together, where they lie on one file system.
        short=$(
            for wanted in "/var/lib/containerd \(needs.diskMiB)" "/opt 512" "/var/lib/kubelet 256" "/var/lib 64" "/etc 8" "/tmp 8"; do
                path=${wanted% *}
                while [ ! -d "$path" ]; do path=$(dirname "$path"); done
                printf '%s %s %s\n' "$(df -Pk "$path" | awk 'NR == 2 { print $6, int($4 / 1024) }')" \
                    "$(df -Pi "$path" | awk 'NR == 2 { print ($2 > 0 ? $4 : 1000000) }')" "$wanted"
            done | awk '
                { free[$1] = $2; files[$1] = $3; what[$1] = what[$1] (need[$1] ? ", " : "") $4; need[$1] += $5 }
                END {
                    for (place in need) {
                        if (free[place] < need[place])
                            printf "%sthe file system %s has %d MiB free of the %d MiB needed for %s", and, place, free[place], need[place], what[place]
                        else if (files[place] < 20000)
                            printf "%sthe file system %s has room for %d files of the 20000 needed for %s", and, place, files[place], what[place]
                        else continue
                        and = "; "
                    }
                }'
        )
        [ -z "$short" ] || problem "$short"
        """
    }

    private static func identity(_ needs: MachineRequirements) -> String {
        guard let address = needs.address else { return "" }
        return """

            ip -4 -o addr show | awk '{ sub(/\\/.*/, "", $4); print $4 }' | grep -qxF \(shellQuoted(address)) ||
                problem "it has no address \(address), and so is not the machine that this was made for"
            """
    }

    static func clock(_ needs: MachineRequirements) -> String {
        """
        skew=$(($(date +%s) - now))
        if [ "$skew" -gt \(needs.clockSkewSeconds) ]; then problem "its clock is $skew s ahead of ours"; fi
        if [ "$skew" -lt -\(needs.clockSkewSeconds) ]; then problem "its clock is $((-skew)) s behind ours"; fi
        """
    }

    /// Nothing the machine talks to may lie in a network that the cluster takes over.
    static func networks(_ network: JoinNetwork) -> String {
        """
        {
            ip -4 -o addr show | awk '{ print $4, "its address " $4 " on " $2 }'
            ip -4 route show table all | awk '
                $1 ~ /^[0-9.]+(\\/[0-9]+)?$/ { print $1, "its route to " $1 }
                { for (i = 1; i < NF; i++) if ($i == "via" && $(i + 1) ~ /^[0-9.]+$/) print $(i + 1), "its gateway " $(i + 1) }'
            ip -4 neigh show | awk '{ print $1, "its neighbour " $1 }'
            cat /etc/resolv.conf /run/systemd/resolve/resolv.conf 2>/dev/null |
                awk '$1 == "nameserver" && $2 ~ /^[0-9.]+$/ { print $2, "its resolver " $2 }'
        } | sort -u > /run/nestbox-networks
        while read -r cidr name; do
            clash=$(awk -v ours="$cidr" '
                function number(text, part) { split(text, part, "."); return ((part[1] * 256 + part[2]) * 256 + part[3]) * 256 + part[4] }
                function size(cidr, part) { return split(cidr, part, "/") == 2 ? 2 ^ (32 - part[2]) : 1 }
                function first(cidr, part) { split(cidr, part, "/"); return int(number(part[1]) / size(cidr)) * size(cidr) }
                {
                    theirs = $1
                    sub(/^[^ ]+ /, "")
                    if (first(ours) < first(theirs) + size(theirs) && first(theirs) < first(ours) + size(ours)) { print; exit }
                }' /run/nestbox-networks)
            [ -z "$clash" ] || problem "$name $cidr clashes with $clash"
        done <<'END'
        \(network.nodeLocalAPIAddress)/32 the cluster's nodeLocalAPIAddress
        \(network.clusterPodCIDR) the cluster's pod network
        \(network.serviceCIDR) the cluster's service network
        END
        rm -f /run/nestbox-networks
        """
    }
}

extension PlanStatus {
    /// Whether this join found the machine fit: what comes next changes it.
    public var isPastPreflight: Bool { steps.contains { $0.name == PreflightStep.name && $0.state == .succeeded } }
}

extension StepFailure {
    /// Whether the machine was found unfit by the preflight, which has taken back all that was on it of ours: the claim file.
    public var isUnfitness: Bool { kind == .refused && message.contains(PreflightStep.refusal) }
}
