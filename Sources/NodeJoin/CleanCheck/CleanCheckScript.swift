import SSHClient

extension CleanCheck {
    /// Every line it prints is something found; the last line says that it came to its end.
    func script(toolsFolder: String) -> String {
        """
        export LC_ALL=C PATH=/usr/sbin:/usr/bin:/sbin:/bin
        set -u
        tools=\(shellQuoted(toolsFolder))
        # What it had before it joined, of what nodes have too.
        before=\(shellQuoted(" " + ownFolders.joined(separator: " ") + " "))
        daemon=\(hasOwnContainerd ? "containerd.service" : "")
        look() {
        \(Self.processes)
        \(Self.mounts)
        \(network)
        \(Self.packetFilter)
        \(Self.cgroups)
        \(Self.services)
        \(Self.files)
        \(baseline.map { Baseline.compare(digest: $0) } ?? ":")
        }
        look < /dev/null 2> /dev/null
        rm -rf "$tools"
        echo checked

        """
    }

    private static let processes = """
        own=$(readlink /proc/1/ns/pid)
        for status in /proc/[0-9]*/status; do
            dir=${status%/status}
            name=$(sed -n 's/^Name:[[:space:]]*//p' "$status")
            [ "$name" != containerd ] || [ -z "$daemon" ] || ! grep -q "/$daemon\\$" "$dir/cgroup" || continue
            case $name in
            kubelet | containerd* | runc* | nestbox* | kube-* | coredns | pause | calico* | cilium* | flannel*)
                echo "process ${dir#/proc/} ($name)"; continue ;;
            esac
            space=$(readlink "$dir/ns/pid") || continue
            if [ -n "$space" ] && [ "$space" != "$own" ]; then
                echo "process ${dir#/proc/} ($name) in a process namespace of its own"
            fi
            # Units that no file stands for were made by somebody with a command; the kernel's own threads have no program.
            [ -n "$(readlink "$dir/exe")" ] || continue
            group=$(sed -n 's/^[0-9]*:name=systemd://p; s/^0:://p' "$dir/cgroup" | head -n 1)
            case $group in
            /) [ "$dir" = /proc/1 ] || echo "process ${dir#/proc/} ($name) outside of every unit" ;;
            */session-*.scope | */init.scope | /user.slice/*) ;;
            *) [ ! -f "/run/systemd/transient/${group##*/}" ] || echo "process ${dir#/proc/} ($name) in ${group##*/}" ;;
            esac
        done
        ss -Hltnu | awk '{ n = split($5, a, ":"); p = a[n] + 0
            if (p == 6443 || (p >= 10248 && p <= 10259) || (p >= 30000 && p <= 32767)) print "a listener on port " p }'
        """

    private static let mounts = """
        while read -r _ _ _ _ point _; do
            case $point in
            /var/lib/kubelet | /var/lib/containerd) ;;
            *kubelet* | *containerd* | *nestbox* | *kubernetes* | *netns* | *rancher*) echo "mount at $point" ;;
            esac
        done < /proc/self/mountinfo
        for name in $(ip netns list | cut -d ' ' -f 1); do echo "network namespace $name"; done
        """

    private var network: String {
        """
        for path in /sys/class/net/*; do
            link=${path##*/}
            case $link in
            cni* | cbr* | docker* | flannel* | cali* | cilium* | lxc* | kube-* | nodelocaldns | vxlan* | weave* | antrea* | nestbox*)
                echo "network link $link" ;;
            veth*) [ ! -e "$path/master" ] || echo "network link $link, part of a bridge" ;;
            esac
            [ ! -d "$path/bridge" ] || echo "bridge $link"
        done
        { ip -o -4 addr; ip -4 route show table all; } | awk -v nets=\(shellQuoted("\(podCIDR) \(serviceCIDR) \(apiAddress)/32")) '
            function value(a, o) { split(a, o, "."); return o[1] * 16777216 + o[2] * 65536 + o[3] * 256 + o[4] }
            BEGIN { count = split(nets, net, " ") }
            {
                for (f = 1; f <= NF; f++) {
                    word = $f
                    sub(/\\/[0-9]+$/, "", word)
                    if (word !~ /^[0-9]+[.][0-9]+[.][0-9]+[.][0-9]+$/) continue
                    for (i = 1; i <= count; i++) {
                        split(net[i], half, "/")
                        block = 2 ^ (32 - half[2])
                        if (int(value(word) / block) == int(value(half[1]) / block)) { print "address or route: " $0; next }
                    }
                }
            }'
        [ "$(ip rule | wc -l)" -le 3 ] || echo "routing rules: $(ip rule | tail -n +4 | tr '\\n' ' ')"
        """
    }

    private static let packetFilter = """
        if [ -f "$tools/tools.tar" ]; then
            mkdir -p "$tools/root"
            tar -xf "$tools/tools.tar" -C "$tools/root" --no-same-owner --wildcards '*xtables*' 'lib/*' '*tables*save' \\
                './*xtables*' './lib/*' './*tables*save'
        fi
        readable=
        for program in iptables-save ip6tables-save iptables-legacy-save ip6tables-legacy-save; do
            for place in /usr/sbin "$tools/root/bin"; do
                [ -x "$place/$program" ] || continue
                readable=yes
                "$place/$program" | grep -iE 'kube|cni|cali|cilium|flannel|nestbox' | sed "s/^/rule of $program: /" | head -n 5
                break
            done
        done
        if command -v nft > /dev/null; then
            readable=yes
            nft list ruleset | grep -iE 'kube|cni|cali|cilium|flannel|nestbox' | sed 's/^[[:space:]]*/nft rule: /' | head -n 5
        fi
        [ -n "$readable" ] || echo "packet-filter rules, perhaps: no program to read them with"
        """

    private static let cgroups = """
        find /sys/fs/cgroup -type d \\( -iname '*kube*' -o -iname '*nestbox*' -o -iname '*cri-containerd*' \\) -prune |
            while read -r group; do
                # Processes of other machines (this one is a container then) read as 0: theirs, not this one's.
                inside=$(find "$group" -name cgroup.procs -exec cat {} + | sort -u)
                [ "$inside" = 0 ] || echo "cgroup $group"
            done | head -n 5
        """

    private static let services = """
        systemctl list-units --all --plain --no-legend | awk '{ print $1 }' |
            grep -E 'kube|nestbox|containerd|cri-' | grep -vxE 'var-lib-(kubelet|containerd)[.]mount' | grep -vxF "$daemon" | sed 's/^/unit /' | head -n 10
        find /etc/systemd /run/systemd/system /usr/local/lib/systemd -iname '*nestbox*' -o -iname '*kubelet*' | sed 's/^/unit file /'
        """

    private static let files = """
        for path in /etc/nestbox /etc/kubernetes /etc/cni /opt/nestbox /opt/cni /opt/containerd /var/lib/nestbox-node /var/lib/cni \\
            /var/log/pods /var/log/containers /usr/libexec/kubernetes /run/nestbox /run/containerd /run/flannel /run/calico \\
            /var/lib/calico /var/lib/cilium /etc/sysctl.d/99-nestbox.conf /etc/sysctl.d/99-nestbox-pool.conf /etc/modules-load.d/nestbox.conf /root/.kube; do
            case $before in *" $path "*) continue ;; esac
            [ ! -e "$path" ] || echo "file $path"
        done
        for path in /var/lib/kubelet /var/lib/containerd /var/lib/etcd; do
            [ "$path" != /var/lib/containerd ] || [ -z "$daemon" ] || path=/var/lib/containerd/nestbox
            find "$path" ! -path /var/lib/kubelet ! -path /var/lib/containerd ! -path /var/lib/etcd ! -name lost+found | head -n 3 | sed 's/^/file /'
        done
        for path in $before; do
            case $path in /run/*) continue ;; esac
            [ -e "$path" ] || echo "missing, though it was there before: $path"
        done
        find /usr/local /opt /etc /home /root /srv /tmp /var/tmp /var/lib /var/spool /run -xdev \\
            \\( -iname '*kubelet*' -o -iname '*nestbox*' -o -iname '*kubeconfig*' \\) ! -path "$tools*" \\
            ! -path /run/nestbox-plan.lock ! -path '/var/lib/nestbox-baseline*' ! -path /var/lib/kubelet -prune | head -n 10 | sed 's/^/file /'
        for key in /etc/ssh/ssh_host_*nestbox*; do [ ! -e "$key" ] || echo "file $key"; done
        """
}
